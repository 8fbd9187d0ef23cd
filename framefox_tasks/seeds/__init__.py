"""The first rows of a database: from YAML, SQL or Python, once for each content, in one transaction."""
