"""Check a statement of `malmoi contains --json` offline, with the standard library alone.

    python check_statement.py STATEMENT [--key PUBLIC_KEY.pem] [--manifest manifest.json] [--text FILE]

Give the publisher's Ed25519 key, the manifest of the release, or both. Exit status 0: all of it agrees; 1: refused.
The tree proves presence and absence; only a key vouches for the rest, such as licence and evidence.
"""

import json
import sys
from base64 import b64decode
from hashlib import sha256, sha512
from pathlib import Path
from unicodedata import normalize

P, Q, D = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493, -121665 * pow(121666, -1, 2**255 - 19)
KINDS = ("application/vnd.in-toto+json", "https://in-toto.io/Statement/v1", "urn:malmoi:contains:1")


def need(holds, why):
    if not holds:
        sys.exit(f"refused: {why}")


def add(a, b):  # points of edwards25519: RFC 8032, section 5.1
    k = D * a[0] * b[0] * a[1] * b[1]
    x, y = (a[0] * b[1] + a[1] * b[0]) * pow(1 + k, -1, P), (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, -1, P)
    return x % P, y % P


def multiply(n, a):
    half = multiply(n >> 1, add(a, a)) if n else (0, 1)
    return add(half, a) if n & 1 else half


def decode_point(packed):
    sign, y = divmod(int.from_bytes(packed, "little"), 1 << 255)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    need(y < P and x * x % P == square and (x or not sign), "an invalid point")
    return (x if x & 1 == sign else P - x), y


def is_signed(key, message, signature):
    n, h = int.from_bytes(signature[32:], "little"), sha512(signature[:32] + key + message).digest()
    right = add(decode_point(signature[:32]), multiply(int.from_bytes(h, "little") % Q, decode_point(key)))
    return n < Q and multiply(n, decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))) == right


def check_origin(envelope, said, key_file, manifest_file):
    need(key_file or manifest_file, "give --key or --manifest")
    if key_file:
        (signed,), payload = envelope["signatures"], b64decode(envelope["payload"])
        der = b64decode("".join(Path(key_file).read_text().split("\n")[1:-2]))
        message = b"DSSEv1 %d %b %d %b" % (len(KINDS[0]), KINDS[0].encode(), len(payload), payload)
        need(signed["keyid"] == sha256(der).hexdigest() and len(der) == 44, "not signed by this key")
        need(is_signed(der[12:], message, b64decode(signed["sig"])), "signature and payload do not agree")
    if manifest_file:
        content, about = Path(manifest_file).read_bytes(), said["predicate"]
        facts, subject = {**about["release"], "members": about["tree"]["root"]}, sha256(content).hexdigest()
        need(said["subject"] == [{"name": "manifest.json", "digest": {"sha256": subject}}], "another manifest.json")
        need(facts.items() <= json.loads(content).items(), "another release")


def climb(tree, one):  # from a leaf up to the root
    node = leaf = b64decode(one["leaf"])
    index, width, path = one["index"], tree["leaves"], b64decode(one["path"])
    need(0 <= index < width and len(leaf) == 32 and len(path) % 32 == 0, "a leaf outside the tree")
    while width > 1:
        if index ^ 1 < width:
            pair, path = (path[:32] + node if index & 1 else node + path[:32]), path[32:]
            node = sha256(b"\1" + pair).digest()
        index, width = index >> 1, (width + 1) >> 1
    top = sha256(b"\2" + bytes.fromhex(tree["salt"]) + tree["leaves"].to_bytes(8, "big") + node).hexdigest()
    need(not path and top == tree["root"], "a path that does not lead to the root")
    return leaf


def main(statement, options):
    envelope = json.loads(Path(statement).read_text("utf-8"))
    said = json.loads(b64decode(envelope["payload"]))
    need((envelope["payloadType"], said["_type"], said["predicateType"]) == KINDS, "another kind of statement")
    about, tree, asked = said["predicate"], said["predicate"]["tree"], said["predicate"]["question"]
    check_origin(envelope, said, options.get("--key"), options.get("--manifest"))
    text = normalize("NFC", Path(options["--text"]).read_text("utf-8")).strip() if "--text" in options else ""
    need(not text or sha256(text.encode()).hexdigest() == asked["key"], "about another text")
    near = about["answer"] == "yes" and asked["kind"] == "text"  # a near copy has another digest than the text
    key = about["documents"][0]["text_sha256"] if near else asked["key"]
    leaf = sha256(b"\0" + bytes.fromhex(tree["salt"]) + f"{asked['kind']}\0{key}".encode()).digest()
    left, right, member = about.get("left"), about.get("right"), about.get("member")
    need(("yes" if member else "no" if left or right else "") == about["answer"], "an answer without its proof")
    need(not member or climb(tree, member) == leaf, "a proof for another work")
    need(member or (right["index"] if right else tree["leaves"]) - (left["index"] if left else -1) == 1, "a gap")
    need((not left or climb(tree, left) < leaf) and (not right or leaf < climb(tree, right)), "leaves not beside it")
    print(about["answer"], asked["kind"], asked["key"], *about["release"].values())


if __name__ == "__main__":
    main(sys.argv[1], dict(zip(sys.argv[2::2], sys.argv[3::2], strict=True)))
