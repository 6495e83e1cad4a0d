"""Words that a team puts on exceptions of its own accord. Pure."""

import re

TAG_LENGTH = 32
MOST_TAGS = 20  # of one exception
TAG = re.compile(r"[^\W_]([\w-]*[^\W_])?")


class NoTag(ValueError):
    """`sentence` says what is wrong."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def read_tag(text: str) -> str:
    """In small letters, with hyphens for blanks, so that each tag has one spelling. Raises: NoTag."""
    tag = "-".join(text.strip().removeprefix("#").casefold().split())
    if not tag:
        raise NoTag("Name the tag.")
    if len(tag) > TAG_LENGTH:
        raise NoTag(f"A tag has at most {TAG_LENGTH} characters.")
    if not TAG.fullmatch(tag):
        raise NoTag(f"“{tag}” is no tag: use letters, digits and hyphens, such as storm-porto.")
    return tag
