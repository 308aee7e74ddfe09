"""How people prove who they are: sign-in, second steps, passkeys, links in mails."""
