"""How a page calls people: rows name a person's id, a login or a program; readers want a name."""

from __future__ import annotations

from collector.people.person import Person
from collector.people.queries import Book


class PeopleNames:
    """``names("kim")``: the name in one language; what is not in the book stays as it is."""

    def __init__(self, book: Book, language: str) -> None:
        self._names: dict[str, str] = {}
        self._ids = list(book.people)
        for person in book.people.values():
            name = person.name_en if language == "en" and person.name_en else person.name_ko or person.id
            if person.login:
                self._names[person.login] = name
            self._names[person.id] = name

    def __call__(self, who: str) -> str:
        return self._names.get(who, who)

    @classmethod
    def of(cls, people: dict[str, Person], language: str) -> PeopleNames:
        return cls(Book(people, {}), language)

    @property
    def all(self) -> dict[str, str]:
        return dict(self._names)

    def choices(self) -> list[tuple[str, str]]:
        """(id, name) of everybody in the book, by name."""
        return sorted(((name, self._names[name]) for name in self._ids), key=lambda each: (each[1], each[0]))
