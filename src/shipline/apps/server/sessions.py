"""Who may see and who may say: the token, the sessions that it opens, and their CSRF tokens.

Nothing is kept: a session is a random name and the second it was opened at, signed with the token. Whoever replaces
the token ends all sessions. Comparisons take the same time whatever is compared.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from shipline.ports.clock import Clock

SESSION = re.compile(r"([0-9]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})")
SESSION_S_MAX = 7 * 24 * 3600
SECOND_US = 1_000_000


class Sessions:
    """The sessions of one token."""

    def __init__(self, token: str, clock: Clock) -> None:
        self._key = token.encode()
        self._clock = clock
        # Browsers send a host's cookies to all its ports: each project's has a name of its own.
        self.cookie_name = f"shipline_{self._signed('cookie')[:12]}"

    def knows(self, token: str) -> bool:
        """True for the token itself."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._key)

    @property
    def feed_token(self) -> str:
        """What a calendar program brings, in the only way that it can: in the address. It opens the feed, and nothing
        else; whoever replaces the token replaces it, too."""
        return self._signed("feed")

    def knows_feed(self, token: str) -> bool:
        """True for the feed's token itself."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.feed_token.encode())

    def open(self) -> str:
        """A new session, as its cookie's value."""
        name = f"{self._clock.now_us() // SECOND_US}.{secrets.token_hex(16)}"
        return f"{name}.{self._signed('session ' + name)}"

    def is_open(self, session: str) -> bool:
        """True for a session that was opened with this token at most a week ago."""
        found = SESSION.fullmatch(session)
        if found is None:
            return False
        opened_s, name, signature = found.groups()
        expected = self._signed(f"session {opened_s}.{name}")
        age_s = self._clock.now_us() // SECOND_US - int(opened_s)
        return hmac.compare_digest(signature, expected) and age_s <= SESSION_S_MAX

    def csrf(self, session: str) -> str:
        """What a form of this session must carry."""
        return self._signed(f"csrf {session}")

    def may_change(self, session: str, csrf: str) -> bool:
        """True if a form of this open session carries the right CSRF token."""
        expected = self.csrf(session)
        return self.is_open(session) and hmac.compare_digest(csrf.encode("utf-8", "replace"), expected.encode())

    def _signed(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
