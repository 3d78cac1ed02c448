"""Reads and claims a virtual PLC as docs/plc-interface.md describes it, with pymodbus alone.

Usage: plc_registers.py HOST PORT FACTS [--without-fc23]

FACTS is a JSON object with what the hub file says: chutes, inductions, cells, pitch_mm, track_mm,
speed_mm_s, unit. Numbers of registers and values stand here as in the document, whose section is
named beside them; nothing is taken from the program's own code.
"""

import json
import socket
import struct
import sys
import time

from pymodbus.client import ModbusTcpClient

DEADLINE_S = 60
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3

checks = 0


def same(what, found, expected):
    """Counts a check; ends the script if it fails."""
    global checks
    checks += 1
    if found != expected:
        sys.exit(f"{what}: found {found!r}, the document has {expected!r}")


def true(what, holds):
    same(what, bool(holds), True)


def wait_for(what, look):
    """Polls until there is something other than None, at most until the deadline."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        found = look()
        if found is not None:
            same(what, True, True)
            return found
        time.sleep(0.01)
    sys.exit(f"waited in vain for: {what}")


def check_of(registers, start=0xA55A):
    """Section 3.4."""
    check = start
    for register in registers:
        check = (check * 31 + register) % 65536
    return check


def bit(bits, nth):
    return bits >> nth & 1


def long(high, low):
    return high << 16 | low


class Plc:
    """The PLC as a Modbus client sees it."""

    def __init__(self, host, port, unit):
        self.address, self.unit = (host, port), unit
        self.client = ModbusTcpClient(host, port=port)
        true("the PLC takes a connection", self.client.connect())

    def read(self, address, count):
        reply = self.client.read_holding_registers(address, count=count, device_id=self.unit)
        if reply.isError():
            sys.exit(f"FC3 of {count} from {address}: {reply}")
        same(f"registers from {address}", len(reply.registers), count)
        return reply.registers

    def write(self, address, registers):
        reply = self.client.write_registers(address, registers, device_id=self.unit)
        if reply.isError():
            sys.exit(f"FC16 of {len(registers)} to {address}: {reply}")

    def refused_write(self, address, registers):
        reply = self.client.write_registers(address, registers, device_id=self.unit)
        return reply.exception_code if reply.isError() else None

    def refused_read(self, address, count):
        reply = self.client.read_holding_registers(address, count=count, device_id=self.unit)
        return reply.exception_code if reply.isError() else None

    def read_write(self, read_address, count, write_address, registers):
        return self.client.readwrite_registers(
            read_address=read_address,
            read_count=count,
            write_address=write_address,
            values=registers,
            device_id=self.unit,
        )

    def exception_of(self, pdu):
        """The exception to a request that pymodbus itself would not send."""
        with socket.create_connection(self.address, timeout=DEADLINE_S) as link:
            link.sendall(struct.pack(">HHHB", 1, 0, len(pdu) + 1, self.unit) + pdu)
            reply = link.recv(260)
        return reply[8] if reply[7] & 0x80 else None


def info_block(plc, facts):
    """Section 3.2."""
    info = plc.read(200, 16)
    same("200, map version", info[0], 1)
    same("203, chutes", info[3], facts["chutes"])
    same("204, inductions", info[4], facts["inductions"])
    same("205, cells", info[5], facts["cells"])
    same("206, pitch", info[6], facts["pitch_mm"])
    same("207-208, length", long(info[7], info[8]), facts["track_mm"])
    true("209, scan time", 0 < info[9] <= 100)
    same("210, slots", info[10], 7)
    true("211, FIFO depth", info[11] >= 256)
    same("215, check", info[15], check_of(info[:15]))


def status_block(plc, facts):
    """Section 3.1, with nobody granted: the belt runs all the same."""
    status = plc.read(0, 13)
    same("0, map version", status[0], 1)
    true("1, boot id", status[1] != 0)
    same("2, granted to nobody", status[2], 0)
    for nth, name in [(0, "run"), (1, "at speed"), (3, "homed"), (4, "automatic")]:
        same(f"5 bit {nth}, {name}", bit(status[5], nth), 1)
    for nth, name in [(2, "safety tripped"), (8, "configuration mismatch"), (10, "area B")]:
        same(f"5 bit {nth}, {name}", bit(status[5], nth), 0)
    same("6, speed", status[6], facts["speed_mm_s"])
    same("10, no command consumed", status[10], 0)
    same("12, no event lost", status[12], 0)

    def another(register):
        return lambda: plc.read(0, 13) if plc.read(0, 13)[register] != status[register] else None

    wait_for("3, another heartbeat", another(3))
    later = wait_for("7-8, the encoder moves", another(8))
    moved = long(later[7], later[8]) - long(status[7], status[8])
    true("7-8, forwards and not by laps", 0 < moved % 2**32 < facts["track_mm"] * 10)
    same("1, boot id stays", later[1], status[1])
    return status[1]


def levels(plc, facts):
    """Section 6, and 4.4 for an induction without an engine."""
    chutes = plc.read(2000, 5 * facts["chutes"])
    for nth in range(facts["chutes"]):
        bits, cause, _drops, taken, _bag = chutes[5 * nth : 5 * nth + 5]
        same(f"chute {nth + 1} is enabled", bit(bits, 0), 1)
        same(f"chute {nth + 1} is not full, jammed, locked or at fault", bits & 0b1_1110_1100, 0)
        same(f"chute {nth + 1} is open", cause, 0)
        same(f"chute {nth + 1}, nothing was taken out", taken, 0)
    inductions = plc.read(1000, 4 * facts["inductions"])
    for nth in range(facts["inductions"]):
        bits, _rate, _count, cause = inductions[4 * nth : 4 * nth + 4]
        same(f"induction {nth + 1} does not run", bit(bits, 1), 0)
        same(f"induction {nth + 1} has no engine", cause, 2)


def refusals(plc, boot):
    """Section 2: what is not the engine's is refused with exception 02, and nothing is written."""
    same("FC3 of no block", plc.refused_read(60000, 1), ILLEGAL_ADDRESS)
    same("FC3 of 126 registers", plc.exception_of(struct.pack(">BHH", 3, 0, 126)), ILLEGAL_VALUE)
    same("FC3 of no register", plc.exception_of(struct.pack(">BHH", 3, 0, 0)), ILLEGAL_VALUE)
    for address in [0, 2, 13, 124, 200, 1000, 2000, 12000, 12100]:
        same(f"FC16 to {address}", plc.refused_write(address, [7]), ILLEGAL_ADDRESS)
    for address, count in [(399, 9), (515, 7)]:
        found = plc.refused_write(address, [7] * count)
        same(f"FC16 of {count} to {address}, partly the engine's", found, ILLEGAL_ADDRESS)
    same("400-408, nothing was written", plc.read(400, 9), [0] * 9)
    same("515-520, nothing was written", plc.read(515, 6), [0] * 6)
    same("the boot id is as it was", plc.read(1, 1), [boot])


def header(boot, epoch, beat, ack=0, head=0, bits=0):
    """Section 3.3."""
    registers = [1, epoch, beat, 0, boot, ack, head, bits]
    return registers + [check_of(registers)]


def function_23(plc, boot, works):
    """Section 2: FC23 where it works, exception 01 where not. The header claims nothing."""
    words = header(boot, 0, 1)
    reply = plc.read_write(0, 13, 400, words)
    if not works:
        same("FC23 is refused", reply.exception_code, ILLEGAL_FUNCTION)
        same("400-408, nothing was written", plc.read(400, 9), [0] * 9)
        return
    true(f"FC23: {reply}", not reply.isError())
    same("FC23 reads", reply.registers[:2], [1, boot])
    same("FC23 writes", plc.read(400, 9), words)
    reply = plc.read_write(0, 13, 0, [7])
    same("FC23 to the status", reply.exception_code, ILLEGAL_ADDRESS)


class Engine:
    """Just enough of an engine: it claims, keeps its heartbeat and takes events."""

    def __init__(self, plc, boot, epoch):
        self.plc, self.boot, self.epoch = plc, boot, epoch
        self.beat, self.beat_at, self.ack = 1, 0.0, 0
        self.bits, self.slot, self.events = 0, None, []

    def turn(self):
        """One poll, and the header when it is due: at least every 100 ms, section 3.3."""
        if time.monotonic() - self.beat_at > 0.05:
            self.beat = self.beat % 65535 + 1
            self.beat_at = time.monotonic()
            head = 0 if self.slot is None else 1
            words = header(self.boot, self.epoch, self.beat, self.ack, head, self.bits)
            self.plc.write(400, words + (self.slot or []))
        poll = self.plc.read(0, 125)
        if poll[2] == self.epoch:
            self.take(poll)
        return poll[:13]

    def take(self, poll):
        """The events of a poll, sections 4 and 5: the number expected, its check, its epoch."""
        while True:
            seq = self.ack % 65520 + 1
            slot = poll[13 + (seq - 1) % 7 * 16 :][:16]
            if slot[0] != seq or slot[15] != check_of(slot[:15]) or slot[1] != self.epoch:
                return
            self.ack = seq
            self.events.append(slot)

    def until(self, what, look):
        return wait_for(what, lambda: look(self.turn()))

    def event(self, kind):
        """The first event of a type, if it has come."""
        found = [slot for slot in self.events if slot[2] % 256 == kind]
        return found[0] if found else None


def claim(plc, boot, facts):
    """Sections 5, 6 and 8: a grant, a command with its three answers, an inventory, parcels."""
    engine = Engine(plc, boot, 7)
    granted = engine.until("2, the claim is granted", lambda s: s if s[2] == 7 else None)
    same("5 bit 10, to area A", bit(granted[5], 10), 0)
    engine.until("4, the echo of our heartbeat", lambda s: True if s[4] == engine.beat else None)

    slot = [1, 7, 5] + [0] * 12
    slot.append(check_of([boot] + slot))
    engine.slot = slot + [0] * 96
    engine.until("10, command 1 is consumed", lambda s: True if s[10] == 1 else None)
    answer = engine.until("event 11, an answer", lambda _: engine.event(11))
    same("it answers command 1", answer[12], 1)
    same("it is accepted", answer[14] % 256, 0)
    latched = engine.until("event 20, an inventory", lambda _: engine.event(20))
    true("section 8, answered before it is latched", answer[0] < latched[0])
    inventory = plc.read(12000, 8)
    same("12000, generation", inventory[0], latched[13])
    same("12001, occupied cells", inventory[1], latched[12])
    same("12002-12003, encoder", inventory[2:4], latched[8:10])
    same("12004, cells", inventory[4], facts["cells"])
    same("12005, boot id", inventory[5], boot)
    same("12007, check", inventory[7], check_of(inventory[:7]))
    same("nothing lies on the belt", inventory[1], 0)
    same("12100, no cell is occupied", set(plc.read(12100, 120)), {0})

    engine.bits = 1  # ready
    plc.write(8000, [1, 0] * facts["inductions"])
    inducted = engine.until("event 1, a parcel gets on", lambda _: engine.event(1))
    true("its induction", 1 <= inducted[3] <= facts["inductions"])
    true("its item", long(inducted[4], inducted[5]) != 0)
    true("its cell", 1 <= inducted[6] <= facts["cells"])
    true("its length", 0 < inducted[12] < 2000)
    bits = plc.read(1000 + 4 * (inducted[3] - 1), 4)[0]
    same("its induction runs", bit(bits, 1), 1)
    seen = engine.until("event 2, a parcel at a scanner", lambda _: engine.event(2))
    true("its scanner", 1 <= seen[3])

    engine.bits = 1 | 1 << 6  # releasing
    engine.until("2, the grant is given back", lambda s: True if s[2] == 0 else None)


def main():
    host, port, facts = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    has_fc23 = "--without-fc23" not in sys.argv[4:]
    plc = Plc(host, port, facts["unit"])
    info_block(plc, facts)
    boot = status_block(plc, facts)
    levels(plc, facts)
    refusals(plc, boot)
    function_23(plc, boot, has_fc23)
    claim(plc, boot, facts)
    print(f"{checks} checks")


main()
