"""What comes before a body, held to a size while it comes: a head without an end would fill the memory."""

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.http.middleware.request_limits import MAX_HEAD_BYTES

_REFUSED = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


class BoundedHeads(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, which by itself waits for the end of any number of headers."""

    _is_in_head = True
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Passes on what came, or hangs up."""
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                status = f"HTTP/1.1 {_REFUSED.value} {_REFUSED.phrase}"
                self.transport.write(f"{status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode())
                self.transport.close()
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins: the bytes counted so far may have been the last one's."""
        self._is_in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """From here on it is a body, which service.http.middleware.body_limits counts."""
        self._is_in_head = False
        super().on_headers_complete()
