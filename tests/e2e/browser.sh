#!/bin/sh
# Debian's Chromium, Firefox, coturn, PostgreSQL, FFmpeg, GStreamer (RTSP server, WebRTC) and a Chinese font, where they are missing and may be installed; else says so.
set -u

missing=""
command -v chromium >/dev/null 2>&1 || missing=" chromium"
command -v firefox-esr >/dev/null 2>&1 || command -v firefox >/dev/null 2>&1 || missing="$missing firefox-esr"
command -v turnserver >/dev/null 2>&1 || missing="$missing coturn"
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx"
[ -e /usr/lib/nginx/modules/ngx_stream_module.so ] || missing="$missing libnginx-mod-stream"
command -v ffmpeg >/dev/null 2>&1 || missing="$missing ffmpeg"
gst="python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
gst="$gst gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-nice gir1.2-gst-plugins-bad-1.0"
/usr/bin/python3 -c 'import gi
gi.require_version("GstRtspServer", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstRtspServer, GstWebRTC
Gst.init(None)
assert all(map(Gst.ElementFactory.find, ("x264enc", "rtph264pay", "tsdemux", "alawenc", "webrtcbin", "nicesrc")))' >/dev/null 2>&1 ||
    missing="$missing $gst"
command -v pg_ctl >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
fc-list :lang=zh 2>/dev/null | grep -q . || missing="$missing fonts-noto-cjk"
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "Installing for the browser tests:$missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    if apt-get update -qq </dev/null && apt-get install -y -qq --no-install-recommends $missing </dev/null; then
        exit 0
    fi
fi
echo "Missing for the browser tests:$missing. As root: apt-get install$missing" >&2
exit 0  # the tests that need Chromium fail and say so, those of Firefox and coturn are skipped
