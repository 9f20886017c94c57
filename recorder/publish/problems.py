"""Why a step cannot be done: stable codes. The words for people are the pages' and the command line's."""

from __future__ import annotations


class StepFailed(Exception):
    """`code` is one of PROBLEMS; `detail` for who looks after the machine."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class NothingToDo(Exception):
    """The step does not apply to this recording: no picture, no sound, no storage."""


PROBLEMS: dict[str, tuple[str, str]] = {
    "unreadable": (
        "录像文件有损坏,读不出来。原始录像不受影响,可稍后重试。",
        "A file of the recording cannot be read. The recording itself stays as it is; try again later.",
    ),
    "not_whole": (
        "校验发现录像不完整,日志已保留。",
        "The verification found something missing. The journal is kept.",
    ),
    "disk_full": (
        "磁盘空间不足。请清理磁盘后重试。",
        "The disk is full. Free some space, then try again.",
    ),
    "disk": ("磁盘出错。请检查磁盘后重试。", "The disk refused. Check it, then try again."),
    "encoder": (
        "转码失败。请重试,再失败请联系技术支持。",
        "Encoding failed. Try again; if it fails again, ask for help.",
    ),
    "pieces_differ": (
        "转码中断期间软件已升级,将从头重做,请重试。",
        "The software was upgraded in the middle. It is made anew: try again.",
    ),
    "worker_died": (
        "转码进程意外退出。请重试。",
        "The working process ended unexpectedly. Try again.",
    ),
    "no_journal": (
        "原始日志已不在,这路画面无法转换。",
        "The journal is gone: this picture cannot be converted any more.",
    ),
    "too_large": ("成片超过 1 GB 上限。", "The file would be larger than 1 GB."),
    "storage": (
        "无法写入对象存储。请检查其地址、账号和网络后重试。",
        "The object store cannot be written to. Check its address, keys and network, then try again.",
    ),
    "busy": (
        "另一个程序正在处理这节课的录像。请稍后重试。",
        "Another program works on this recording. Try again later.",
    ),
    "manifest": ("录像清单读不出来。", "The recording's manifest cannot be read."),
    "fault": ("程序出错,已记入日志。请重试。", "A fault of the program, written to its log. Try again."),
}
