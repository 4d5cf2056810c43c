"""A network that fails: a TCP proxy in front of a daemon. Which failure, when and after how many bytes comes from a seed."""

import asyncio
import collections
import random
import socket
import struct
import threading

KINDS = ("good", "delay", "cut", "torn", "stall", "half_open", "black_hole")


class Proxy:
    """Listens on a free port, ends with the `with` block. Each connection fails in one way:

    good: for a while not at all; delay: every piece waits; cut: closed in good order after some pieces; torn: reset
    in the middle of a piece; stall: nothing is forwarded for a while, then all of it; half_open: one direction is
    read no further, for ever; black_hole: accepted, and never answered.
    """

    def __init__(self, host, port, seed):
        self.target = (host, port)
        self.dice = random.Random(seed)
        self.seen = collections.Counter()  # connections by kind
        self.faults = True  # false: new connections are good, and good for ever
        self._loop = asyncio.new_event_loop()
        self._open = set()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()

    def _run(self, ready):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        self._loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    def heal(self):
        """No more failures; connections that are failing now are closed."""
        self.faults = False
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in list(self._open)])

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._open.add(task)
        kind = self.dice.choice(KINDS) if self.faults else "good"
        self.seen[kind] += 1
        up_writer = None
        try:
            if kind == "black_hole":
                await asyncio.sleep(self.dice.uniform(0.5, 5))
                return
            up_reader, up_writer = await asyncio.open_connection(*self.target)
            victim = self.dice.randrange(2)  # the direction in which it fails first
            ways = [asyncio.ensure_future(self._forward(kind if direction == victim or kind == "delay" else "good", *ends))
                    for direction, ends in enumerate(((reader, up_writer, writer), (up_reader, writer, up_writer)))]
            life = self.dice.uniform(0.5, 4) if self.faults and kind != "half_open" else None
            try:
                await asyncio.wait(ways, timeout=life, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            for end in (writer, up_writer):
                if end is not None:
                    end.close()

    async def _forward(self, kind, reader, writer, back):
        pieces = self.dice.randrange(1, 60)
        try:
            while piece := await reader.read(self.dice.choice((512, 4096, 65536))):
                pieces -= 1
                if kind == "delay":
                    await asyncio.sleep(self.dice.uniform(0, 0.05))
                if pieces == 0 and kind == "cut":
                    return
                if pieces == 0 and kind == "torn":
                    writer.write(piece[:self.dice.randrange(len(piece))])
                    await writer.drain()
                    _reset(writer)
                    _reset(back)
                    return
                if pieces == 0 and kind == "stall":
                    await asyncio.sleep(self.dice.uniform(0.2, 3))
                if pieces <= 0 and kind == "half_open":
                    await asyncio.sleep(3600)
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def _reset(writer):
    """The other side sees a reset, not an end."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
