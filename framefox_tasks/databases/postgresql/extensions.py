"""Which extension has what an error of the server says is missing."""

from __future__ import annotations

import re

from framefox_tasks.databases.server import ServerVerbs
from framefox_tasks.model import Target

_MISSING = re.compile(r'\b(?:type|operator class|function) "?(?:\w+\.)?(\w+)[^\n]*? does not exist')
# What a database has itself, it tells by its catalogue. These are for one that has not got the extension either.
_BROUGHT = {
    "citext": "citext",
    "cube": "cube",
    "geography": "postgis",
    "geometry": "postgis",
    "gen_random_bytes": "pgcrypto",
    "gin_trgm_ops": "pg_trgm",
    "gist_trgm_ops": "pg_trgm",
    "halfvec": "vector",
    "hstore": "hstore",
    "lquery": "ltree",
    "ltree": "ltree",
    "ltxtquery": "ltree",
    "raster": "postgis_raster",
    "seg": "seg",
    "sparsevec": "vector",
    "unaccent": "unaccent",
    "uuid_generate_v1": "uuid-ossp",
    "uuid_generate_v4": "uuid-ossp",
    "vector": "vector",
}
_OWNER = """
SELECT x.extname FROM pg_catalog.pg_extension x
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = x.oid AND d.deptype = 'e'
WHERE d.classid = 'pg_type'::regclass AND d.objid IN (SELECT oid FROM pg_catalog.pg_type WHERE typname = %(name)s)
OR d.classid = 'pg_opclass'::regclass AND d.objid IN (SELECT oid FROM pg_catalog.pg_opclass WHERE opcname = %(name)s)
OR d.classid = 'pg_proc'::regclass AND d.objid IN (SELECT oid FROM pg_catalog.pg_proc WHERE proname = %(name)s)
LIMIT 1
"""


def missing_extension(verbs: ServerVerbs, target: Target, error: str) -> str | None:
    """The extension that has what an error says does not exist; None where none is known to."""
    found = _MISSING.search(error)
    if found is None:
        return None
    name = found[1].lower()
    with verbs.connection(target, target.name) as connection:
        cursor = connection.cursor()
        cursor.execute(_OWNER, {"name": name})
        row = cursor.fetchone()
    return str(row[0]) if row else _BROUGHT.get(name)
