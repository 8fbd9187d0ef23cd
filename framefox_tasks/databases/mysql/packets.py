"""Rows and files of MySQL's protocol in bulk: PyMySQL would take several microseconds for each row."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from typing import Any

from framefox_tasks.databases.rows import BLOCK

_READ = 1 << 18
_SENT = 1 << 20  # bytes of a packet that is sent: below what any server takes at the least
_MOST = 0xFFFFFF  # bytes of a packet: a longer row goes on in the next
_NULL, _EOF, _ERROR = 0xFB, 0xFE, 0xFF

# A packet of one row of one column: three bytes of length, one of sequence, the length of the text in one, three or
# four bytes, and the text. The text is a line: its feed is at the end, and nowhere else. Packets of 8 MB and more are
# read one by one, since they may be parts of a row.
_HEAD = rb"..[\x00-\x7f].(?:[\x00-\xfa]|\xfc..|\xfd...)"
_ROWS = re.compile(rb"(?s)(?:" + _HEAD + rb"[^\n]*+\n)*+")
_LINES = re.compile(rb"(?s)" + _HEAD + rb"([^\n]*+\n)")


class TooLongError(Exception):
    """The server gives NULL for a line, because it would be longer than max_allowed_packet."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.rows = rows


class OutOfStepError(Exception):
    """What the server sends is not what was expected of it."""


class Answer:
    """The rows of a query that is being answered. All of them have to be read before the connection is used again."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._rest = b""
        self.ended = True

    def begin(self, sql: str) -> int:
        """Send a query; gives the number of its columns.

        Raises:
            pymysql.Error: The server refused it, or the connection was lost.
        """
        from pymysql.constants import COMMAND
        from pymysql.protocol import FieldDescriptorPacket

        connection = self._connection
        connection._execute_command(COMMAND.COM_QUERY, sql)
        columns: int = connection._read_packet().read_length_encoded_integer()
        for _ in range(columns):
            connection._read_packet(FieldDescriptorPacket)
        connection._read_packet()
        self.ended = False
        return columns

    def lines(self) -> Generator[bytes]:
        """Blocks of the lines of a query whose one column is a line.

        Raises:
            TooLongError: A line is NULL; names how many rows came before it, all of which were given.
            pymysql.Error: The server ended the query, or the connection was lost.
        """
        lines: list[bytes] = []
        size = rows = 0
        while True:
            found = self._bulk()
            if not found:
                packet = self._packet()
                if packet is None:
                    break
                if packet[0] == _NULL:
                    if lines:
                        yield b"".join(lines)
                    raise TooLongError(rows)
                found = [_columns(packet, 1)[0] or b""]
            lines += found
            rows += len(found)
            size += sum(map(len, found))
            if size >= BLOCK:
                yield b"".join(lines)
                lines, size = [], 0
        if lines:
            yield b"".join(lines)

    def rows(self, columns: int) -> Generator[list[bytes | None]]:
        """The rows one by one, of any number of columns."""
        while (packet := self._packet()) is not None:
            yield _columns(packet, columns)

    def _bulk(self) -> list[bytes]:
        """The lines of all packets that have come as a whole; none where the next is of another form."""
        self._fill(4)
        self._fill(self._needed())
        match = _ROWS.match(self._rest)
        end = match.end() if match else 0
        if not end:
            return []
        lines = _LINES.findall(self._rest, 0, end)
        self._check(lines, end)
        self._rest = self._rest[end:]
        return lines

    def _check(self, lines: list[bytes], end: int) -> None:
        """That the last line is as long, and of such a number, as its packet says: none of them held another feed."""
        last = len(lines[-1])
        length = last + (1 if last < 251 else 3 if last < 1 << 16 else 4)
        start = end - length - 4
        sequence = (self._connection._next_seq_id + len(lines) - 1) % 256
        if int.from_bytes(self._rest[start : start + 3], "little") != length or self._rest[start + 3] != sequence:
            raise self._broken(OutOfStepError("The server sent rows of another form than it was asked for."))
        self._connection._next_seq_id = (sequence + 1) % 256

    def _packet(self) -> bytes | None:
        """The next row as a whole; None at the end."""
        parts = [self._part()]
        while len(parts[-1]) == _MOST:
            parts.append(self._part())
        packet = b"".join(parts)
        if packet[0] == _ERROR:
            self.ended = True
            _raise(packet)
        if packet[0] == _EOF and len(packet) < 9:
            self.ended = True
            return None
        return packet

    def _part(self) -> bytes:
        self._fill(4)
        end = self._needed()
        self._fill(end)
        number, part = self._rest[3], self._rest[4:end]
        if number != self._connection._next_seq_id and part[:1] != bytes([_ERROR]):
            raise self._broken(OutOfStepError("The server's packets are out of order."))
        self._connection._next_seq_id = (number + 1) % 256
        self._rest = self._rest[end:]
        return part

    def _needed(self) -> int:
        return 4 + int.from_bytes(self._rest[:3], "little")

    def _fill(self, size: int) -> None:
        """Read until so many bytes are there."""
        chunks, there = [self._rest], len(self._rest)
        while there < size:
            chunks.append(self._read())
            there += len(chunks[-1])
        if len(chunks) > 1:
            self._rest = b"".join(chunks)

    def _read(self) -> bytes:
        from pymysql.constants import CR
        from pymysql.err import OperationalError

        try:
            file = self._connection._rfile
            data: bytes = file.read1(_READ) if file else b""
        except OSError as exc:
            raise self._broken(OperationalError(CR.CR_SERVER_LOST, f"Lost connection during query ({exc})")) from exc
        if not data:
            raise self._broken(OperationalError(CR.CR_SERVER_LOST, "Lost connection during query"))
        return data

    def _broken(self, exc: Exception) -> Exception:
        self.ended = True
        self._connection._force_close()
        return exc

    def drain(self) -> None:
        """Read what is left, and forget it."""
        from pymysql.err import MySQLError

        while not self.ended:
            try:
                if self._packet() is None:
                    return
            except MySQLError:
                if not self.ended:
                    raise
                return


def _raise(packet: bytes) -> None:
    from pymysql.err import raise_mysql_exception

    raise_mysql_exception(packet)


def _columns(packet: bytes, count: int) -> list[bytes | None]:
    from pymysql.protocol import MysqlPacket

    reader: Any = MysqlPacket(packet, "utf8mb4")
    return [reader.read_length_coded_string() for _ in range(count)]


def send_file(connection: Any, statement: str, blocks: Iterable[bytes]) -> tuple[int, int]:
    """Run LOAD DATA LOCAL INFILE, and answer the server's request for the file with these blocks.

    No file is ever opened, whatever name the server sends.

    Returns:
        How many rows the server took, and how many warnings it has.

    Raises:
        pymysql.Error: The server refused the statement, or the connection was lost.
    """
    from pymysql.constants import COMMAND
    from pymysql.protocol import OKPacketWrapper

    connection._execute_command(COMMAND.COM_QUERY, statement)
    if not connection._read_packet().is_load_local_packet():
        raise OutOfStepError("The server did not ask for the rows.")
    try:
        for block in blocks:
            for start in range(0, len(block), _SENT):
                connection.write_packet(block[start : start + _SENT] if len(block) > _SENT else block)
    except BaseException:
        connection._force_close()  # so that what was sent so far is rolled back
        raise
    connection.write_packet(b"")
    answer = OKPacketWrapper(connection._read_packet())
    return answer.affected_rows, answer.warning_count
