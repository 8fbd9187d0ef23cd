"""Everything that knows MySQL and MariaDB."""
