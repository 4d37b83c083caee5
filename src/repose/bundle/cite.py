"""Metadata for archives that assign DOIs, from CITATION.cff and the artefacts.

`datacite.json` has the attributes of the DataCite metadata schema 4, as its REST API names them. `.zenodo.json` has
those of a deposit at Zenodo. The archive's own name and the DOI, which we do not know, are left to the archive.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from repose.audit.crate import LICENCES
from repose.errors import ReposeError
from repose.reading import read_text

KEYWORDS = ("pose transfer", "mesh", "benchmark", "reproducibility", "Snakemake", "RO-Crate")
TO_BE_ASSIGNED = ":tba"  # a standard value of DataCite for what is not known yet


def authors_in(citation: Path) -> list[dict[str, str]]:
    """Return the authors of a CITATION.cff: `name` (`Family, Given`), and `affiliation` and `orcid` if given.

    Raises:
        ReposeError: the file is no CITATION.cff, or has no authors.
    """
    try:
        content = yaml.safe_load(read_text(citation))
        return [_author(one) for one in content["authors"]]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ReposeError("names no authors", citation, "CITATION.cff says how") from error


def _author(entry: Mapping[str, Any]) -> dict[str, str]:
    names = [str(entry[key]) for key in ("family-names", "given-names") if key in entry]
    found = {"name": ", ".join(names) or str(entry["name"])}
    kept = {key: str(entry[key]) for key in ("affiliation", "orcid") if key in entry}
    return found | kept | {"kind": "Personal" if names else "Organizational"}


def datacite(
    title: str, description: str, authors: Sequence[Mapping[str, str]], licences: Sequence[str], day: str
) -> dict[str, Any]:
    """Return the metadata for DataCite.

    Args:
        title, description: those of the bundle.
        authors: the authors, as `authors_in` returns them.
        licences: licences of its files.
        day: when the results were made, YYYY-MM-DD.
    """
    return {
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "types": {"resourceType": "Benchmark results", "resourceTypeGeneral": "Dataset"},
        "creators": [_creator(author) for author in authors],
        "titles": [{"title": title}],
        "publisher": {"name": TO_BE_ASSIGNED},
        "publicationYear": day[:4],
        "dates": [{"date": day, "dateType": "Created"}],
        "subjects": [{"subject": word} for word in KEYWORDS],
        "version": version("repose"),
        "formats": ["application/zip"],
        "rightsList": [_rights(licence) for licence in licences],
        "descriptions": [{"description": description, "descriptionType": "Abstract"}],
    }


def zenodo(
    title: str, description: str, authors: Sequence[Mapping[str, str]], licences: Sequence[str], day: str
) -> dict[str, Any]:
    """Return the metadata of a deposit at Zenodo, which takes a single licence; arguments as in `datacite`."""
    known = [LICENCES[one].lower() for one in licences if one in LICENCES]
    one = known[0] if len(known) == len(licences) == 1 else "other-open"
    kept = ("name", "affiliation", "orcid")
    return {
        "upload_type": "dataset",
        "title": title,
        "creators": [{key: author[key] for key in kept if key in author} for author in authors],
        "description": description,
        "access_right": "open",
        "license": one,
        "notes": f"Licences of the files: {', '.join(licences)}; LICENCES.csv says which is whose.",
        "publication_date": day,
        "version": version("repose"),
        "keywords": list(KEYWORDS),
    }


def _creator(author: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": author["name"], "nameType": author["kind"]}
    if "affiliation" in author:
        found["affiliation"] = [{"name": author["affiliation"]}]
    if "orcid" in author:
        scheme = {"nameIdentifierScheme": "ORCID", "schemeUri": "https://orcid.org"}
        found["nameIdentifiers"] = [{"nameIdentifier": author["orcid"], **scheme}]
    return found


def _rights(licence: str) -> dict[str, str]:
    if licence not in LICENCES:
        return {"rights": licence}
    spdx = LICENCES[licence]
    return {
        "rights": licence,
        "rightsUri": f"https://spdx.org/licenses/{spdx}",
        "rightsIdentifier": spdx,
        "rightsIdentifierScheme": "SPDX",
    }
