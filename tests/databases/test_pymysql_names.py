"""What is used of PyMySQL that it does not document, name by name: a new release may take any of them away."""

from __future__ import annotations

import ast
import inspect
from importlib.metadata import requires

import pymysql.connections
import pymysql.protocol
from pymysql.connections import Connection
from pymysql.protocol import FieldDescriptorPacket, MysqlPacket, OKPacketWrapper
from support.projects import ROOT

MYSQL = ROOT / "framefox_tasks/databases/mysql"
# Of a connection, by the file that uses them.
OF_A_CONNECTION = {
    "packets.py": {"_execute_command", "_force_close", "_next_seq_id", "_read_packet", "_rfile"},
    "certificates.py": {"_create_ssl_ctx"},
    "session.py": {"_read_timeout", "_sock"},
}
# Of its packets, which are as private, though their names do not say so.
PACKETS = {"FieldDescriptorPacket", "MysqlPacket", "OKPacketWrapper"}
OF_A_PACKET = {"read_length_encoded_integer", "read_length_coded_string", "is_load_local_packet"}
OF_AN_ANSWER = {"affected_rows", "warning_count"}


def private(file: str) -> set[str]:
    """The private names that a file takes of something that is not its own."""
    tree = ast.parse((MYSQL / file).read_text(encoding="utf-8"))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr != "_replace"  # of a named tuple, and public
        and not (isinstance(node.value, ast.Name) and node.value.id == "self")
    }


def test_no_other_private_name_is_used() -> None:
    assert {path.name: names for path in MYSQL.glob("*.py") if (names := private(path.name))} == OF_A_CONNECTION


def test_no_other_packet_is_used() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in MYSQL.glob("*.py")]
    imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {alias.name for node in imports if node.module == "pymysql.protocol" for alias in node.names} == PACKETS


def test_a_connection_has_each_of_them() -> None:
    source = inspect.getsource(pymysql.connections)
    missing = {
        name
        for names in OF_A_CONNECTION.values()
        for name in names
        if not hasattr(Connection, name) and f"self.{name} = " not in source
    }
    assert not missing


def test_the_packets_have_each_of_them() -> None:
    assert not [name for name in PACKETS if not hasattr(pymysql.protocol, name)]
    assert not [name for name in OF_A_PACKET if not hasattr(MysqlPacket, name)]
    source = inspect.getsource(OKPacketWrapper)
    assert not [name for name in OF_AN_ANSWER if f"self.{name}" not in source]
    assert issubclass(FieldDescriptorPacket, MysqlPacket)


def test_the_next_major_release_is_not_installed_unseen() -> None:
    found = [line for line in requires("framefox-tasks") or [] if line.lower().startswith("pymysql")]
    assert len(found) == 1
    assert "<2" in found[0]
