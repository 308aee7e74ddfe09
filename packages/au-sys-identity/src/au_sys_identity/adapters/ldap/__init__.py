"""LDAP directories (RFC 4511), spoken by ourselves on asyncio and Python's own TLS.

libldap, under every C binding, holds the calling thread in a TLS handshake for as long as a server keeps silent.
"""
