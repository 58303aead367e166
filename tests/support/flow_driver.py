"""Drive flows without a transport or an emulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from firebase_rest.transport.wire import Pause, Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.transport.wire import Flow


def json_response(value: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with `value` as its JSON body."""
    return Response(status, headers or {}, json.dumps(value).encode())


def drive(flow: Flow[Any], *responses: Response) -> tuple[list[Request], Any]:
    """Run `flow` with these responses; return its requests and its result."""
    requests: list[Request] = []
    try:
        step = next(flow)
        for response in responses:
            while isinstance(step, Pause):
                step = flow.send(Response(0))
            assert isinstance(step, Request)
            requests.append(step)
            step = flow.send(response)
    except StopIteration as done:
        assert len(requests) == len(responses), f"the flow ended after {len(requests)} requests"
        return requests, done.value
    finally:
        flow.close()
    raise AssertionError(f"the flow yields another request: {step!r}")


def sent_json(request: Request) -> Any:
    assert isinstance(request.body, bytes)
    return json.loads(request.body)
