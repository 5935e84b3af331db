"""What may leave the house: outside channels say which incident, how severe and a site's alias, and nothing else.

Providers of SMS, voice calls and messengers keep what passes through them. So no name of a host, no address, no person and
no line of a log goes there: who gets it opens the link, and reads the rest here. Inside are mail, Mattermost and webhooks,
which an agency runs itself; ``[[channels]]`` may say otherwise for each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

OUTSIDE = frozenset({"phone", "sms", "alimtalk", "jandi", "naverworks", "slack", "teams", "telegram", "ntfy"})
TAG = "alias:"


def alias(site: str, tags: Iterable[str] = ()) -> str:
    """What a site is called outside: by its tag ``alias:M17``, else four digits that only we can tell apart."""
    if not site:
        return ""
    named = sorted(tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG))
    return next(iter(named), "") or f"S-{hashlib.sha256(site.encode()).hexdigest()[:4].upper()}"
