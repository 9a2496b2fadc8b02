# SPDX-License-Identifier: Apache-2.0
"""Routes by which a page signs in: a link's token, once, for a session's.

Both sides come to know each other by them: the page this server too, by its proof.
"""

from collections.abc import Callable

from msgspec import Struct

from lao.server.guard import PROOF, SESSION, wrong_token
from lao.server.messages import (
    LinkReply,
    ProofReply,
    ProofRequest,
    SessionReply,
    SessionRequest,
)
from lao.server.percent import encode
from lao.server.routes import Call, Route
from lao.server.tokens import Tokens


class Links(Struct, frozen=True, kw_only=True):
    """Makes links to the page at `url`, each of which works once; `file` is shown there.

    What stands behind "#" stays in the browser: no server and no log sees it.
    """

    tokens: Tokens
    url: str
    file: str = ""

    def new(self) -> str:
        """Return another link."""
        shown = f"&file={encode(self.file)}" if self.file else ""
        return f"{self.url}#token={self.tokens.new_link()}{shown}"


def session_routes(links: Links, signed_in: Callable[[], None]) -> list[Route]:
    """Return the routes; `signed_in` hears of every page that used a link."""
    tokens = links.tokens

    async def sign_in(call: Call) -> SessionReply:
        session = tokens.open_session(call.asks(SessionRequest).link)
        if session is None:
            raise wrong_token(tokens)
        signed_in()
        return SessionReply(token=session, key=tokens.key)

    async def prove(call: Call) -> ProofReply:
        return ProofReply(proof=tokens.prove(call.asks(ProofRequest).nonce))

    async def make_link(_: Call) -> LinkReply:
        return LinkReply(link=links.new())

    return [
        Route(
            method="POST",
            path=SESSION,
            handler=sign_in,
            about="Turn a link's token, which works once, into a session's.",
            body=SessionRequest,
            reply=SessionReply,
        ),
        Route(
            method="POST",
            path=PROOF,
            handler=prove,
            about="Show that this is the server that a page signed in to.",
            body=ProofRequest,
            reply=ProofReply,
        ),
        Route(
            method="POST",
            path="/api/links",
            handler=make_link,
            about="Make a link for another window.",
            reply=LinkReply,
        ),
    ]
