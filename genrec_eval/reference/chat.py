"""What bundled writers and judges share: they answer ``chat`` from the text of the last message alone."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.model import Call, Model
from genrec_eval.protocol.requests import ChatRequest, Kind, Request
from genrec_eval.protocol.responses import Answer, ChatResponse
from genrec_eval.protocol.status import Status
from genrec_eval.reference.base import Bundled

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Training


class ReferenceChat(Bundled, Model):
    """A model that reads one message and writes one text.

    An answer depends on the message, the options, and where the model draws on seed and repeat, on nothing
    else: asked over ``genrec-eval serve``, it gives the same text.

    Parameters
    ----------
    training
        For models that learn; None is fine for all others.
    options
        A validated instance of ``Options``; the defaults when None.
    seed
        The run's seed; used by models that draw.
    """

    kinds: frozenset[Kind] = frozenset({"chat"})
    learns: ClassVar[bool] = False

    def __init__(self, training: Training | None = None, options: Any = None, seed: int = 0) -> None:
        self.training = training
        self.options = self.Options() if options is None else options
        self.check(self.options)
        self.seed = seed
        self.fit()

    @abstractmethod
    def reply(self, text: str, repeat: int = 0) -> ChatResponse:
        """Answer a message.

        Raises
        ------
        UsageError
            When the message is not of the kind that the model reads.
        """

    async def answer(self, request: Request, call: Call) -> Answer:
        """Answer the last message of the user."""
        assert isinstance(request, ChatRequest)
        said = [message.content for message in request.messages if message.role == "user"]
        try:
            return Answer(response=self.reply(said[-1] if said else "", call.repeat))
        except UsageError as error:
            return Answer(status=Status.ERROR, error=f"reference model '{self.name}': {error}")
