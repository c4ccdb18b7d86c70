"""A reference writer or judge behind the chat API: the text it gives in process, word for word."""

from __future__ import annotations

from typing import Any

from genrec_eval.core.errors import UsageError
from genrec_eval.reference.chat import ReferenceChat
from genrec_eval.serving.exchange import ApiError


class Author:
    """Speaks for one reference writer or judge.

    It reads the last user message alone; ``seed`` of the request is the repeat, 0 where there is none.

    Parameters
    ----------
    model
        The writer or judge.
    """

    def __init__(self, model: ReferenceChat) -> None:
        self.model = model

    def __call__(self, last: str, request: dict[str, Any]) -> str:
        """Answer the last user message.

        Raises
        ------
        ApiError
            400 when the message is not of the kind that the model reads.
        """
        repeat = request.get("seed")
        try:
            return self.model.reply(last, repeat if isinstance(repeat, int) else 0).text
        except UsageError as error:
            raise ApiError(400, f"The model '{self.model.name}': {error}.", param="messages") from None
