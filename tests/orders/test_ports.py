"""The port to the exceptions: which book is kept is a setting, resolved once."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

from exceptions.book import Book
from orders.ports import exception_book


@pytest.fixture(autouse=True)
def unresolved() -> Iterator[None]:
    exception_book.cache_clear()
    yield
    exception_book.cache_clear()


def test_book_is_the_one_that_settings_name() -> None:
    assert isinstance(exception_book(), Book)


def test_book_is_resolved_once() -> None:
    assert exception_book() is exception_book()


@override_settings(EXCEPTION_BOOK="exceptions.book.NoSuchBook")
def test_book_that_does_not_exist_is_named() -> None:
    with pytest.raises(ImportError, match=r'Module "exceptions\.book" does not define a "NoSuchBook"'):
        exception_book()
