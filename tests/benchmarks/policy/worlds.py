"""Large worlds of rules: plain ones that pycasbin can hold as well, and full ones with tenants, denies and patterns."""

from __future__ import annotations

import random
from dataclasses import dataclass

from au_sys_identity.core.access.rules import Effect, Membership, Question, Rule

ACTIONS = ("read", "write", "delete", "share")


@dataclass
class Large:
    """Rules, memberships, and questions of which about half are answered yes."""

    rules: list[Rule]
    memberships: list[Membership]
    questions: list[Question]


def plain(policies: int, roles: int, users: int, asked: int = 20_000) -> Large:
    """One domain, literal resources, allow only; three roles for each user."""
    luck = random.Random(policies)
    each = policies // roles
    rules = [
        Rule(f"role:{role}", "d", f"/things/{role * each + number}", ACTIONS[number % 4])
        for role in range(roles)
        for number in range(each)
    ]
    memberships = [
        Membership(f"urn:au:user:{user}", f"role:{role}", "d")
        for user in range(users)
        for role in luck.sample(range(roles), 3)
    ]
    held: dict[str, list[str]] = {}
    for link in memberships:
        held.setdefault(link.subject, []).append(link.role)
    questions = []
    for _ in range(asked):
        user = f"urn:au:user:{luck.randrange(users)}"
        role = int(luck.choice(held[user])[5:]) if luck.random() < 0.5 else luck.randrange(roles)
        rule = rules[role * each + luck.randrange(each)]
        questions.append(Question(user, "d", rule.resource, rule.action))
    return Large(rules, memberships, questions)


def full(policies: int, roles: int, users: int, asked: int = 100_000) -> Large:
    """A hundred tenants, rules of all tenants, role hierarchies, direct grants, denies, names and open ends."""
    luck = random.Random(policies)
    tenants = min(100, max(1, roles // 10))
    domains = [f"tenant-{number}" for number in range(tenants)]
    rules = []
    for number in range(policies):
        role = number % roles
        domain = "*" if luck.random() < 0.01 else domains[role % tenants]
        place = luck.randrange(max(policies // 4, 10))
        dice = luck.random()
        if dice < 0.04:
            resource = f"/area{place % 50}/{place}/:part"
        elif dice < 0.08:
            resource = f"/area{place % 50}/{place}/*"
        else:
            resource = f"/area{place % 50}/{place}/leaf"
        subject = f"urn:au:user:{luck.randrange(users)}" if luck.random() < 0.02 else f"role:{role}"
        effect: Effect = "deny" if luck.random() < 0.03 else "allow"
        rules.append(Rule(subject, domain, resource, luck.choice((*ACTIONS, "read|write", "*")), effect))
    memberships = []
    for user in range(users):
        tenant = user % tenants
        for _ in range(3):
            role = tenant + tenants * luck.randrange(max(roles // tenants, 1))
            memberships.append(Membership(f"urn:au:user:{user}", f"role:{role % roles}", domains[tenant]))
    for role in range(0, roles - tenants, 7):
        memberships.append(Membership(f"role:{role}", f"role:{role + tenants}", domains[role % tenants]))
    questions = []
    for _ in range(asked):
        user = luck.randrange(users)
        domain = domains[user % tenants]
        resource = luck.choice(rules).resource.replace(":part", "p").replace("*", "rest/of/it")
        questions.append(Question(f"urn:au:user:{user}", domain, resource, luck.choice(ACTIONS)))
    return Large(rules, memberships, questions)
