"""Names of places and people, made of syllables: always the same ones for the same numbers (pure)."""

from __future__ import annotations

from random import Random

from server.protocol.messages import Words

FIRST = (
    ("罗", "luo"), ("沙", "sha"), ("野", "ye"), ("石", "shi"), ("青", "qing"), ("白", "bai"), ("黑", "hei"),
    ("大", "da"), ("小", "xiao"), ("龙", "long"), ("凤", "feng"), ("马", "ma"), ("牛", "niu"), ("云", "yun"),
    ("山", "shan"), ("水", "shui"), ("金", "jin"), ("银", "yin"), ("红", "hong"), ("长", "chang"),
    ("平", "ping"), ("高", "gao"), ("东", "dong"), ("西", "xi"), ("南", "nan"), ("北", "bei"),
)  # fmt: skip
SECOND = (
    ("平", "ping"), ("河", "he"), ("番", "fan"), ("坪", "ping"), ("沟", "gou"), ("岭", "ling"), ("湾", "wan"),
    ("桥", "qiao"), ("坝", "ba"), ("塘", "tang"), ("溪", "xi"), ("洞", "dong"), ("坡", "po"), ("寨", "zhai"),
    ("田", "tian"), ("林", "lin"), ("泉", "quan"), ("关", "guan"), ("峪", "yu"), ("屯", "tun"),
)  # fmt: skip
SURNAMES = (
    ("王", "Wang"), ("李", "Li"), ("张", "Zhang"), ("刘", "Liu"), ("陈", "Chen"), ("杨", "Yang"),
    ("赵", "Zhao"), ("黄", "Huang"), ("周", "Zhou"), ("吴", "Wu"), ("徐", "Xu"), ("孙", "Sun"),
    ("胡", "Hu"), ("朱", "Zhu"), ("高", "Gao"), ("林", "Lin"), ("何", "He"), ("郭", "Guo"),
)  # fmt: skip
GIVEN = (
    ("英", "ying"), ("华", "hua"), ("芳", "fang"), ("娜", "na"), ("敏", "min"), ("静", "jing"), ("丽", "li"),
    ("强", "qiang"), ("磊", "lei"), ("军", "jun"), ("洋", "yang"), ("勇", "yong"), ("艳", "yan"),
    ("杰", "jie"), ("娟", "juan"), ("涛", "tao"), ("明", "ming"), ("超", "chao"), ("霞", "xia"),
    ("刚", "gang"), ("梅", "mei"), ("兰", "lan"),
)  # fmt: skip
PLACES = len(FIRST) * len(SECOND)


def place(number: int) -> Words:
    """The place of this number; no two of the first PLACES are the same."""
    step = (number * 7) % PLACES  # 7 has no divisor in common with PLACES: neighbours differ in both halves
    (zh_1, en_1), (zh_2, en_2) = FIRST[step % len(FIRST)], SECOND[step // len(FIRST)]
    return Words(zh=zh_1 + zh_2, en=(en_1 + en_2).capitalize())


def person(chance: Random) -> Words:
    """A person's name, family name first in both languages."""
    family, first, second = chance.choice(SURNAMES), chance.choice(GIVEN), chance.choice((*GIVEN, ("", "")))
    return Words(zh=family[0] + first[0] + second[0], en=f"{family[1]} {(first[1] + second[1]).capitalize()}")
