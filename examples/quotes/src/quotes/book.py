"""The quotes, all of them in the public domain."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quote:
    """What was said, and by whom."""

    text: str
    author: str

    def as_json(self) -> dict[str, str]:
        """Give the quote as it is answered."""
        return {"text": self.text, "author": self.author}


QUOTES = (
    Quote("The unexamined life is not worth living.", "Socrates"),
    Quote("It is not that we have a short time to live, but that we waste a lot of it.", "Seneca"),
    Quote("Brevity is the soul of wit.", "William Shakespeare"),
    Quote("Though this be madness, yet there is method in it.", "William Shakespeare"),
    Quote("Knowledge itself is power.", "Francis Bacon"),
    Quote("I think, therefore I am.", "René Descartes"),
    Quote("The heart has its reasons, of which reason knows nothing.", "Blaise Pascal"),
    Quote("If I have seen further, it is by standing on the shoulders of giants.", "Isaac Newton"),
    Quote("To err is human; to forgive, divine.", "Alexander Pope"),
    Quote("A little learning is a dangerous thing.", "Alexander Pope"),
    Quote("We must cultivate our garden.", "Voltaire"),
    Quote("Little strokes fell great oaks.", "Benjamin Franklin"),
    Quote("Nothing is more painful to the human mind than a great and sudden change.", "Mary Shelley"),
    Quote("A foolish consistency is the hobgoblin of little minds.", "Ralph Waldo Emerson"),
    Quote("Our life is frittered away by detail. Simplify, simplify.", "Henry David Thoreau"),
    Quote("The Analytical Engine has no pretensions whatever to originate anything.", "Ada Lovelace"),
    Quote("Hope is the thing with feathers that perches in the soul.", "Emily Dickinson"),
    Quote("In the fields of observation chance favours only the prepared mind.", "Louis Pasteur"),
    Quote("What does not kill me makes me stronger.", "Friedrich Nietzsche"),
    Quote("How very little can be done under the spirit of fear.", "Florence Nightingale"),
)
