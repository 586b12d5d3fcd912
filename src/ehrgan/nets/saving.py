"""Keep fitted estimators in files without pickle: safetensors for arrays, JSON for the rest."""

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from sklearn.impute import MissingIndicator
from sklearn.utils.validation import check_is_fitted

from ..files import write_whole

__all__ = ["Savable"]

FORMAT = 2


class Savable:
    """Give an estimator :meth:`save` and :meth:`load`."""

    _named_tuples = {}
    """Types of the attributes that are named tuples."""

    def save(self, path):
        """Write the fitted estimator to one file, without pickle.

        Parameters
        ----------
        path : path-like
            The file; an older one is replaced. It appears whole or not at all.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            There is nothing to save yet.
        TypeError
            A parameter or a class label is of a type that JSON cannot hold.
        OSError
            The folder is missing or not writable.

        Notes
        -----
        The file is in the safetensors format: reading it runs no code. It holds parameters, scales
        and weights, and no record but those that an estimator says it keeps (``neighbours`` of an
        imputer, ``replay="reservoir"``); of an imputer that draws also estimates and residuals of
        single cells, each attribute in an order of its own; after ``partial_fit`` what the
        optimiser needs to go on, which makes it three times as long. Requests for metadata routing
        are not kept.

        Examples
        --------
        >>> import tempfile
        >>> from ehrgan import ACGANClassifier
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]], ["well", "well", "ill", "ill"]
        >>> model = ACGANClassifier(epochs=1, random_state=0).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.safetensors")
        ...     again = ACGANClassifier.load(f"{folder}/model.safetensors")
        >>> bool((again.predict_proba(X) == model.predict_proba(X)).all())
        True
        """
        check_is_fitted(self)
        arrays = {}
        kept = {name: value for name, value in vars(self).items() if name != "_metadata_request"}
        state = {name: _encode(value, name, arrays) for name, value in kept.items()}
        header = {"format": FORMAT, "class": type(self).__name__, "state": state}
        write_whole(path, save(arrays, metadata={"ehrgan": json.dumps(header)}))

    @classmethod
    def load(cls, path):
        """Read an estimator that :meth:`save` has written.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        estimator
            Fitted; it predicts what the saved one did.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        ValueError
            The file is damaged, foreign, of another class or of a later format.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"path is {str(path)!r}; there is no such file.")
        try:
            with safe_open(path, framework="numpy") as file:
                header = json.loads((file.metadata() or {}).get("ehrgan", "null"))
                arrays = {name: file.get_tensor(name) for name in file.keys()}
        except (SafetensorError, json.JSONDecodeError) as error:
            raise ValueError(
                f"{str(path)!r} is damaged or was not written by save(): {error}"
            ) from error
        _check_header(header, cls.__name__, path)
        model = cls()
        for name, value in header["state"].items():
            value = _decode(value, arrays)
            kind = cls._named_tuples.get(name)
            setattr(model, name, kind(*value) if kind and value is not None else value)
        return model


def _check_header(header, wanted, path):
    """Refuse a file that was not written by the `save` of this class."""
    if not isinstance(header, dict) or not {"format", "class", "state"} <= set(header):
        raise ValueError(f"{str(path)!r} is a safetensors file, but not one that save() wrote.")
    if header["format"] != FORMAT:
        raise ValueError(
            f"{str(path)!r} has format {header['format']}; this version reads format {FORMAT}."
        )
    if header["class"] != wanted:
        raise ValueError(f"{str(path)!r} holds a {header['class']}, not a {wanted}.")


def _encode(value, name, arrays):
    """Turn a value into JSON; numerical arrays go to ``arrays`` under the value's name."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return _encode(value.item(), name, arrays)
    if isinstance(value, np.ndarray):
        return _encode_array(value, name, arrays)
    if isinstance(value, dict):
        pairs = [(_encode(k, name, arrays), k, v) for k, v in value.items()]
        return {"dict": [[key, _encode(v, f"{name}.{k}", arrays)] for key, k, v in pairs]}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_encode(v, f"{name}.{i}", arrays) for i, v in enumerate(value)]}
    if isinstance(value, np.random.RandomState):
        return {"random_state": _encode(value.get_state(), name, arrays)}
    if isinstance(value, MissingIndicator):
        return {"indicator": [value.n_features_in_, value.features_.tolist()]}
    raise TypeError(f"{name} is a {type(value).__name__}; save() cannot write it without pickle.")


def _encode_array(value, name, arrays):
    if value.dtype.kind in "biuf":
        if name in arrays:  # keys 1 and "1" of a dict
            name = f"{name}~{len(arrays)}"
        arrays[name] = np.asarray(value, value.dtype.newbyteorder("="), order="C")
        return {"array": name}
    if value.dtype.kind in "OU":
        return {"labels": [_encode(v, name, arrays) for v in value.tolist()], "as": value.dtype.str}
    raise TypeError(f"{name} is an array of {value.dtype}; save() cannot write it without pickle.")


def _decode(value, arrays):
    if not isinstance(value, dict):
        return value
    if "labels" in value:
        return np.array([_decode(v, arrays) for v in value["labels"]], dtype=value["as"])
    ((kind, content),) = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "dict":
        return {_decode(k, arrays): _decode(v, arrays) for k, v in content}
    if kind in ("list", "tuple"):
        return {"list": list, "tuple": tuple}[kind](_decode(v, arrays) for v in content)
    if kind == "random_state":
        state = np.random.RandomState()
        state.set_state(_decode(content, arrays))
        return state
    n_features, holed = content
    X = np.zeros((2, n_features))
    X[0, holed] = np.nan
    return MissingIndicator(error_on_new=False).fit(X)
