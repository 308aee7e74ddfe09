# AppArmor 4 (Ubuntu 24.04 and later), where kernel.apparmor_restrict_unprivileged_userns=1 keeps programs without a
# profile from making namespaces.
#   install -m 644 apparmor.profile /etc/apparmor.d/skriptoteket && apparmor_parser -r /etc/apparmor.d/skriptoteket
abi <abi/4.0>,
include <tunables/global>

# The worker of skriptoteket-worker.service (AppArmorProfile=), or: aa-exec -p skriptoteket-worker skriptoteket worker
profile skriptoteket-worker flags=(unconfined) {
  userns,

  include if exists <local/skriptoteket-worker>
}

# The container of worker.compose.yaml (apparmor=skriptoteket-nested): docker-default, which refuses every mount, with
# what namespaces of an ordinary user need.
profile skriptoteket-nested flags=(attach_disconnected,mediate_deleted) {
  include <abstractions/base>

  userns,
  capability,
  network,
  file,
  mount,
  umount,
  pivot_root,
  signal (send,receive),
  ptrace (trace,read,tracedby,readby) peer=skriptoteket-nested,

  deny @{PROC}/sysrq-trigger rwklx,
  deny @{PROC}/kcore rwklx,
  deny /sys/kernel/security/** rwklx,
  deny /sys/firmware/** rwklx,

  include if exists <local/skriptoteket-nested>
}
