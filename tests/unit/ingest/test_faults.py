"""What the library raises leads to its sentence, with the setting to change and without the password."""

from __future__ import annotations

import errno

import av
import pytest
from av import error as av_error

from server.ingest.address import parse
from server.ingest.faults import fault_of

CAMERA = "rtsp://admin:s3cret@192.168.1.64:{port}/live"


def raised(number: int) -> av.FFmpegError:
    """What PyAV raises for one of the system's error numbers."""
    with pytest.raises(av.FFmpegError) as caught:
        av.error.err_check(-number, CAMERA)
    return caught.value


@pytest.mark.parametrize(
    ("error", "address", "code", "says"),
    [
        (raised(errno.EHOSTUNREACH), CAMERA, "no_answer", "power"),
        (raised(errno.ENETUNREACH), CAMERA, "no_route", "gateway"),
        (raised(errno.ECONNREFUSED), CAMERA, "port_closed", "554"),
        (raised(errno.EPROTONOSUPPORT), CAMERA, "wrong_transport", "UDP"),
        (raised(errno.EADDRNOTAVAIL), "udp://10.0.0.9:5000", "not_our_address", "this server"),
        (TimeoutError(), "udp://10.0.0.9:5000", "nothing_comes", "MPEG-TS"),
        (TimeoutError(), CAMERA, "no_answer", "cable"),
        (raised(errno.EIO), "http://10.0.0.9/", "web_page", "web page"),
        (raised(errno.EIO), "rtmp://10.0.0.9/live/x", "no_stream", "1935"),
        (raised(errno.ECONNRESET), "rtmp://10.0.0.9/live/x", "no_stream", "1935"),
        (av_error.HTTPUnauthorizedError(1, ""), CAMERA, "wrong_password", "password"),
        (av_error.HTTPNotFoundError(1, ""), CAMERA, "wrong_path", "channel"),
        (av_error.HTTPOtherClientError(1, ""), CAMERA, "refused", "too many"),
        (av_error.HTTPServerError(1, ""), CAMERA, "refused", "too many"),
        (av_error.InvalidDataError(1, ""), CAMERA, "no_stream", "554"),
        (av_error.InvalidDataError(1, ""), "rtsp://10.0.0.9:8000/", "web_page", "554"),
        (raised(errno.EMFILE), CAMERA, "cannot_connect", "EMFILE"),
    ],
)
def test_an_error_leads_to_its_sentence(error: BaseException, address: str, code: str, says: str) -> None:
    fault = fault_of(parse(address.format(port=554)), error)
    assert fault.code == code
    assert says in fault.words.en
    assert fault.words.zh
    assert "s3cret" not in str(fault.words)


def test_what_is_no_fault_of_a_source_is_raised_as_it_is() -> None:
    with pytest.raises(KeyError):
        fault_of(parse(CAMERA.format(port=554)), KeyError("ours"))
