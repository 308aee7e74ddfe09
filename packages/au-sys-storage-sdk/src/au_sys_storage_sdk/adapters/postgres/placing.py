"""What the server runs to write a batch: the documents while the batch ahead is still being synced, then the tip.

Most of the work is done before the row of ``meta`` is locked, so that it overlaps with the wait of the batch ahead for
its disk. That row is held from the check of the tip until the commit: sequences become visible in order, all of them.
Documents are therefore locked before ``meta``, and two nodes may stand in each other's way: that is waited for a
moment only, and whoever writes alone, with ``meta`` locked first, keeps all others out before.
"""

from __future__ import annotations

SCHEMA = "au_sys_storage"
CHANNEL = "au_sys_storage"

FUNCTION = f"{SCHEMA}.write_1"
"""Another text gets another number: nodes of the version before go on with theirs."""

GATE = 7_305_411_820_042
"""The advisory lock that batches take together and whoever writes alone takes for itself."""

ALONE = f"""
SELECT m.sequence, m.mark, m.standing
FROM (SELECT pg_advisory_xact_lock({GATE})) AS gate, {SCHEMA}.meta m FOR UPDATE OF m
"""  # noqa: S608 - constants
"""Keep all others out, then lock ``meta``: the lock of a row comes after everything that the row was found by."""

_WAITS = 100

WRITE = f"""
CREATE FUNCTION {FUNCTION}(
    upon_sequence bigint, upon_mark bigint, ahead bigint[], own_sequence bigint, own_mark bigint, writer text,
    patience text,
    put_tenants text[], put_namespaces text[], put_keys text[], put_values bytea[], put_versions bigint[],
    put_created bigint[], put_updated bigint[], put_expires bigint[], put_schemas int[], put_codecs int[],
    put_generations int[], put_crcs bigint[], gone_tenants text[], gone_namespaces text[], gone_keys text[],
    noted bool, seqs bigint[], tenants text[], namespaces text[], keys text[], events text[], ats bigint[],
    datas bytea[], last_tenants text[], last_namespaces text[], lasts bigint[]
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    usual text := current_setting('lock_timeout');
    here record;
    waits int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock_shared({GATE}), pg_advisory_xact_lock(own_mark),
            set_config('lock_timeout', patience, true);
    WITH placed AS (
        INSERT INTO {SCHEMA}.docs AS d(tenant, ns, key, value, version, created, updated, expires, schema, codec,
                                       key_generation, crc)
        SELECT * FROM unnest(put_tenants, put_namespaces, put_keys, put_values, put_versions, put_created, put_updated,
                             put_expires, put_schemas, put_codecs, put_generations, put_crcs)
        ON CONFLICT(tenant, ns, key) DO UPDATE SET value = excluded.value, version = excluded.version,
            created = excluded.created, updated = excluded.updated, expires = excluded.expires,
            schema = excluded.schema, codec = excluded.codec, key_generation = excluded.key_generation,
            crc = excluded.crc
        RETURNING d.version, d.tenant, d.ns, d.key, d.updated
    ), removed AS (
        DELETE FROM {SCHEMA}.docs d USING unnest(gone_tenants, gone_namespaces, gone_keys) AS a(tenant, ns, key)
        WHERE d.tenant = a.tenant AND d.ns = a.ns AND d.key = a.key
    )
    INSERT INTO {SCHEMA}.changes(seq, tenant, ns, key, event, at, data)
    SELECT p.version, p.tenant, p.ns, p.key, 'put', p.updated, NULL FROM placed p WHERE noted
    UNION ALL
    SELECT * FROM unnest(seqs, tenants, namespaces, keys, events, ats, datas);
    PERFORM set_config('lock_timeout', usual, true);
    WHILE ahead <> '{{}}' AND waits < {_WAITS} LOOP
        PERFORM pg_advisory_xact_lock_shared(upon_mark);
        SELECT m.mark INTO here FROM {SCHEMA}.meta m;
        EXIT WHEN here.mark <> ALL(ahead);
        waits := waits + 1;
        PERFORM pg_sleep(0.001);
    END LOOP;
    SELECT m.sequence, m.mark, m.standing INTO here FROM {SCHEMA}.meta m FOR UPDATE;
    IF here.sequence <> upon_sequence OR here.mark <> upon_mark OR here.standing <> writer THEN
        RAISE serialization_failure;
    END IF;
    UPDATE {SCHEMA}.meta SET sequence = own_sequence, mark = own_mark;
    INSERT INTO {SCHEMA}.spaces AS s(tenant, ns, last) SELECT * FROM unnest(last_tenants, last_namespaces, lasts)
    ON CONFLICT(tenant, ns) DO UPDATE SET last = greatest(s.last, excluded.last);
    PERFORM pg_notify('{CHANNEL}', own_sequence::text);
    RETURN true;
EXCEPTION WHEN serialization_failure OR lock_not_available OR unique_violation OR deadlock_detected THEN
    RETURN false;
END $$;
"""  # noqa: S608 - constants
