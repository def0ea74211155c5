"""A pause of pynetdicom's reactor that holds.

The reactor is the thread of an association that serves what comes in. Every send_… pauses it, or it would take the answer
that the send_… waits for: it clears `_reactor_checkpoint` and waits for `_is_paused`. In pynetdicom 3.0.4 a reactor that the
send_… before has let go on says that it is paused until it runs again. On a busy machine the next send_… believes it; then
the reactor runs, takes the answer and drops it ("Received unexpected N-SET service message"). Here a reactor is paused when
it stands still, and goes on only if it finds the checkpoint open.
"""

import threading

from pynetdicom.association import Association


class Checkpoint:
    """Takes the place of a threading.Event."""

    def __init__(self, reactor):
        self.reactor = reactor
        self.changed = threading.Condition()
        self.open, self.standing = True, False

    def set(self):
        with self.changed:
            self.open = True
            self.changed.notify_all()

    def clear(self):
        """Returns once the reactor stands still, or has ended. One that sends amid a service cannot wait for itself."""
        with self.changed:
            self.open = False
            while not self.standing and self.reactor.is_alive() and self.reactor is not threading.current_thread():
                self.changed.wait(0.05)
        # The thread of an N-EVENT-REPORT, which is no reactor, says that it is not when it ends.
        self.reactor._is_paused = True

    def wait(self):
        with self.changed:
            self.standing = True
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.open)
            self.standing = False


def begin(association, *arguments, **options):
    beginning(association, *arguments, **options)
    association._reactor_checkpoint = Checkpoint(association)


beginning, Association.__init__ = Association.__init__, begin
