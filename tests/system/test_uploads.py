"""Evidence comes in over any line: clients of several makes, cut everywhere; and what must not come in does not."""

from __future__ import annotations

import base64
import hashlib
import io
import socket
import struct
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from deploy.demo.bad_network import (
    CutReply,
    CutRequest,
    DropBeforeSend,
    Fault,
    FaultProxy,
    LoseReply,
    Pass,
    random_faults,
)
from deploy.demo.client import Refused
from deploy.demo.company import Company
from deploy.demo.phone import Phone
from tests.system.callers import PASSWORD, Client, Platform, join, problem, register, within
from tests.system.evidence import (
    OCTETS,
    TUS,
    File,
    begun,
    by_javascript,
    by_tuspy,
    kept,
    note,
    place,
    sent,
    settled,
    store_of,
    stored,
    uploaded,
)

CHUNK = 64 * 1024
PARTS = 4
FAULTS = (DropBeforeSend(), CutRequest(0.5), LoseReply(), CutReply(0.5))


@pytest.fixture(scope="module")
def owner(platform: Platform) -> Client:
    return register(platform, "Carga S.A.S.")


@pytest.fixture
def line(platform: Platform) -> Iterator[FaultProxy]:
    """A bad network in front of the gateway."""
    address = urlsplit(platform.base_url)
    with FaultProxy(str(address.hostname), int(address.port or 0)) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def js(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("js")


def parts() -> File:
    """A file that goes out in four pieces."""
    return note(PARTS * CHUNK - 17)


class TestOtherClients:
    """Each request of an upload is broken before, within and after; the next one goes on where the last one ended."""

    @pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
    def test_tuspy_goes_on(self, owner: Client, line: FaultProxy, fault: Fault) -> None:
        paths = []
        for whole in range(1, PARTS + 1):  # its creation is asked for once only, and is left alone
            line.script([Pass()] * whole + [fault])
            paths.append(by_tuspy(line.url, owner, parts(), chunk_size=CHUNK))
            assert any(not exchange.answered for exchange in line.log)
            line.log.clear()
        for path in paths:
            stored(owner, path)

    @pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
    def test_tus_js_client_goes_on(self, owner: Client, line: FaultProxy, js: Path, fault: Fault) -> None:
        paths = []
        for whole in range(PARTS + 1):
            line.script([Pass()] * whole + [fault])
            told = by_javascript(js, line.url, owner, parts(), chunkSize=CHUNK)
            assert told["again"] == 1, told
            paths.append(urlsplit(told["url"]).path)
        for path in paths:
            stored(owner, path)

    def test_checksums_and_posts_that_mean_something_else(self, owner: Client, platform: Platform, js: Path) -> None:
        stored(owner, by_tuspy(platform.base_url, owner, parts(), chunk_size=CHUNK, upload_checksum=True))
        told = by_javascript(js, platform.base_url, owner, parts(), overridePatchMethod=True)
        stored(owner, urlsplit(told["url"]).path)

    def test_a_refusal_reaches_them(self, owner: Client, platform: Platform, js: Path) -> None:
        told = by_javascript(js, platform.base_url, owner, File(b"<svg/>", "image/svg+xml", "a.svg"))
        assert (told["status"], told["again"]) == (415, 0)


class TestPhones:
    @pytest.fixture
    def company(self, platform: Platform) -> Company:
        made = Company.register(platform.base_url, platform.mailbox_url, "Señal S.A.S.", "Laura Gómez", PASSWORD)
        made.define_work(made.owner)
        return made

    @pytest.fixture
    def phone(self, company: Company) -> Phone:
        company.invite(company.owner, "Tomás Ruiz", "technician", PASSWORD)
        return Phone(company.base_url, company.logins[-1].email, PASSWORD).enrol()

    def arrived(self, company: Company, file: File) -> bool:
        stored = company.owner.get("/v1/media")["items"]
        return [item["id"] for item in stored] == [file.id]

    def test_whatever_the_network_does(self, company: Company, phone: Phone, line: FaultProxy) -> None:
        phone.by_way_of(line.url)
        line.script(random_faults(7))
        file = note()
        assert phone.upload(file.content, file.type, file.name, chunk=CHUNK) == file.id
        within(20.0, lambda: self.arrived(company, file))
        assert any(not exchange.answered for exchange in line.log)
        line.script([])
        line.log.clear()
        assert phone.upload(file.content, file.type) == file.id
        assert [exchange.request.split()[0] for exchange in line.log] == ["POST"]  # known already: no byte is sent

    def test_what_was_photographed_before_the_phone_was_locked_out(self, company: Company, phone: Phone) -> None:
        company.owner.request("DELETE", f"/v1/users/{phone.user_id}/devices/{phone.device_id}")

        def locked_out() -> bool:
            try:
                phone.get("/v1/me")
            except Refused:
                return True
            return False

        within(10.0, locked_out)
        file = note()
        assert phone.upload(file.content, file.type) == file.id
        within(20.0, lambda: self.arrived(company, file))

    def test_a_stolen_token_brings_nothing_under_the_phones_name(self, phone: Phone) -> None:
        thief = Phone(phone.base_url, phone.email, "", device_id=phone.device_id, user_id=phone.user_id)
        thief._access, thief._refresh = phone._access, phone._refresh
        with pytest.raises(Refused, match="device-signature-invalid"):
            thief.upload(b"x", "text/plain")

    def test_what_is_signed_is_what_is_kept(self, phone: Phone) -> None:
        file = note(1_000)
        asked = {"id": file.id, "bytes": 1_000, "type": file.type}
        path = phone._signed("POST", "/v1/media", asked)["tus"]
        signed = phone._signature("PATCH", path, file.content)
        headers = {**signed, **TUS, "Upload-Offset": "0", "Content-Type": OCTETS}
        other = phone._request("PATCH", path, content=file.content[::-1], headers=headers)
        assert problem(other, 460)["code"] == "checksum-mismatch"
        without = phone._signature("PATCH", path, b"")
        none = phone._request("PATCH", path, content=file.content, headers={**headers, **without})
        assert problem(none, 400, 401)["code"] in ("header-invalid", "device-signature-invalid")
        assert phone._request("PATCH", path, content=file.content, headers=headers).status_code == 204


class TestTheProtocol:
    def test_what_the_server_can_do(self, platform: Platform) -> None:
        answer = Client(platform.base_url)("OPTIONS", "/v1/uploads")
        assert answer.status_code == 204
        assert answer.headers["tus-extension"] == "creation,expiration,checksum,termination"
        assert answer.headers["tus-max-size"] == str(2**31)

    def test_what_came_before_a_cut_is_kept(self, owner: Client, line: FaultProxy) -> None:
        file = note(200_000)
        path = place(owner, file)
        cut = Client(line.url, owner.token)
        line.script([CutRequest(0.5)])
        with pytest.raises(httpx.TransportError):
            sent(cut, path, 0, file.content)
        offset = []

        def reached() -> bool:
            offset.append(int(owner("HEAD", path, headers=TUS).headers["upload-offset"]))
            return offset[-1] == 100_000

        within(20, reached)
        assert offset == sorted(offset)
        assert sent(owner, path, 100_000, file.content[100_000:]).status_code == 204
        stored(owner, path)

    def test_the_right_byte_only(self, owner: Client) -> None:
        file = note(1_000)
        path = place(owner, file)
        assert sent(owner, path, 0, file.content[:400]).headers["upload-offset"] == "400"
        for wrong in (0, 399, 401):
            refused = sent(owner, path, wrong, b"x")
            assert problem(refused, 409)["offset"] == 400
            assert refused.headers["tus-resumable"] == "1.0.0"
        assert problem(sent(owner, path, 400, file.content), 413)["code"] == "upload-too-long"
        assert sent(owner, path, 400, b"").status_code == 204
        assert sent(owner, path, 400, file.content[400:]).status_code == 204
        stored(owner, path)
        assert owner("HEAD", path, headers=TUS).headers["upload-offset"] == "1000"

    def test_without_the_words_of_the_protocol(self, owner: Client) -> None:
        path = place(owner, note(10))
        for version in ({}, {"Tus-Resumable": "0.2.2"}):
            old = owner("HEAD", path, headers=version)
            assert (old.status_code, old.headers["tus-version"]) == (412, "1.0.0")
        octets = {"Content-Type": "application/octet-stream"}
        problem(sent(owner, path, 0, b"x", **octets), 415)
        problem(owner("PATCH", path, content=b"x", headers={**TUS, "Content-Type": OCTETS}), 400)
        problem(owner("POST", "/v1/uploads", headers={**TUS, "Upload-Defer-Length": "1"}), 400)

    def test_a_checksum_that_is_wrong_keeps_nothing(self, owner: Client) -> None:
        file = note(5_000)
        path = place(owner, file)
        right = base64.b64encode(hashlib.sha1(file.content).digest()).decode()
        wrong = base64.b64encode(hashlib.sha1(b"").digest()).decode()
        refused = sent(owner, path, 0, file.content, **{"Upload-Checksum": f"sha1 {wrong}"})
        assert problem(refused, 460)["code"] == "checksum-mismatch"
        assert owner("HEAD", path, headers=TUS).headers["upload-offset"] == "0"
        problem(sent(owner, path, 0, file.content, **{"Upload-Checksum": "crc32 AAAA"}), 400)
        assert sent(owner, path, 0, file.content, **{"Upload-Checksum": f"sha1 {right}"}).status_code == 204

    def test_given_up(self, owner: Client) -> None:
        path = place(owner, note(10))
        assert owner("DELETE", path, headers=TUS).status_code == 204
        for answer in (sent(owner, path, 0, b"x"), owner("DELETE", path, headers=TUS)):
            assert problem(answer, 410)["code"] == "upload-aborted"
        assert owner("HEAD", path, headers=TUS).status_code == 410
        assert owner.ok("GET", path)["status"] == "aborted"

    def test_names_are_only_names(self, owner: Client) -> None:
        file = File(note(100).content, "text/plain", "../../etc/\x00pass\nwd\u202e.txt")
        path = uploaded(owner, file)
        stored(owner, path)
        assert owner.ok("GET", path)["name"] == "passwd.txt"
        shown = owner("GET", f"/v1/media/{file.id}/file").headers["content-disposition"]
        assert 'filename="passwd.txt"' in shown


class TestOthers:
    def test_nobody_elses_upload(self, platform: Platform, owner: Client) -> None:
        path = place(owner, note(10))
        stranger, colleague = register(platform, "Ajena S.A.S."), join(platform, owner, "technician")
        for other in (stranger, colleague):
            for answer in (sent(other, path, 0, b"x"), other("DELETE", path, headers=TUS), other("GET", path)):
                assert problem(answer, 404)["code"] == "upload-unknown"
            assert other("HEAD", path, headers=TUS).status_code == 404
            problem(other("POST", f"{path}/complete"), 404)
        assert owner("HEAD", path, headers=TUS).headers["upload-offset"] == "0"

    def test_who_neither_works_nor_corrects_brings_nothing(self, platform: Platform, owner: Client) -> None:
        problem(begun(join(platform, owner, "viewer"), note(10)), 403)
        problem(begun(Client(platform.base_url), note(10)), 401)
        assert begun(join(platform, owner, "technician"), note(10)).status_code == 201

    def test_the_same_file_of_two_companies_is_two_files(self, platform: Platform, owner: Client) -> None:
        file = note(100)
        stored(owner, uploaded(owner, file))
        stranger = register(platform, "Otra S.A.S.")
        problem(stranger("GET", f"/v1/media/{file.id}"), 404)
        plan = {"id": file.id, "bytes": 100, "type": file.type}
        assert owner.ok("POST", "/v1/media", json=plan)["status"] == "exists"
        assert stranger.ok("POST", "/v1/media", json=plan)["status"] == "wanted"


def test_fifty_at_once_store_one_object(platform: Platform) -> None:
    owner = register(platform, "Cincuenta S.A.S.")
    file = note()
    people = [owner, *(join(platform, owner, "technician") for _ in range(4))]
    places = [(people[n % 5], place(people[n % 5], file)) for n in range(50)]

    def send(whose: tuple[Client, str]) -> int:
        with httpx.Client(base_url=platform.base_url, timeout=60) as http:
            headers = {**TUS, "Authorization": f"Bearer {whose[0].token}", "Upload-Offset": "0", "Content-Type": OCTETS}
            return http.patch(whose[1], content=file.content, headers=headers).status_code

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(send, places)) == {204}
    for who, path in places:
        stored(who, path)
    within(10.0, lambda: len(kept(platform, owner.ids["account_id"])) == 1)


class TestAGatewayThatDies:
    def test_between_the_last_byte_and_saying_so(self, platform: Platform, owner: Client) -> None:
        """What it had stored is there, and the next one who asks finds the upload complete."""
        file = note(1_000)
        path = place(owner, file)
        assert sent(owner, path, 0, file.content[:600]).status_code == 204
        key = f"{owner.ids['account_id']}/{path.rpartition('/')[2]}/{600:015d}-last"
        bucket = platform.env["CHECKOP_S3_INCOMING_BUCKET"]
        store_of(platform.env).put_object(bucket, key, io.BytesIO(file.content[600:]), 400)
        assert owner.ok("GET", path)["status"] == "open"
        assert owner("HEAD", path, headers=TUS).headers["upload-offset"] == "1000"
        stored(owner, path)

    def test_in_the_middle_of_a_request(self, platform: Platform, owner: Client) -> None:
        file = note(3_000_000)
        path = place(owner, file)
        address = urlsplit(platform.base_url)
        told = {
            "Host": address.netloc,
            "Authorization": f"Bearer {owner.token}",
            **TUS,
            "Upload-Offset": "0",
            "Content-Type": OCTETS,
            "Content-Length": "3000000",
        }
        head = f"PATCH {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in told.items())
        with socket.create_connection((str(address.hostname), int(address.port or 0))) as connection:
            connection.sendall(head.encode() + b"\r\n" + file.content[:2_500_000])
            within(10.0, lambda: offset_of(owner, path) == 2**21)
            platform.supervisor.kill("gateway")
        within(30.0, lambda: is_up(platform))
        reached = offset_of(owner, path)
        assert reached >= 2**21
        assert sent(owner, path, reached, file.content[reached:]).status_code == 204
        stored(owner, path)


def offset_of(who: Client, path: str) -> int:
    return int(who("HEAD", path, headers=TUS).headers["upload-offset"])


def is_up(platform: Platform) -> bool:
    try:
        return httpx.get(f"{platform.base_url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


class TestForms:
    """A browser sends the file to the object store itself, under a policy that says which one and how large."""

    def plan(self, who: Client, file: File) -> dict[str, str]:
        body = {"id": file.id, "bytes": len(file.content), "type": file.type, "name": file.name, "via": "form"}
        made = who.ok("POST", "/v1/media", json=body)
        return {**made["form"], "path": f"/v1/uploads/{made['upload_id']}"}

    def send(self, form: dict[str, str], content: bytes, **other: str) -> int:
        file = {"file": ("blob", content)}
        fields = {**form["fields"], **other}  # type: ignore[dict-item]
        return httpx.post(form["url"], data=fields, files=file).status_code

    def test_sent_and_completed(self, owner: Client) -> None:
        file = note(80_000)
        form = self.plan(owner, file)
        assert problem(owner("POST", form["complete"]), 409)["code"] == "upload-incomplete"
        assert self.send(form, file.content) in (200, 201, 204)
        assert owner.ok("POST", form["complete"])["status"] == "finished"
        stored(owner, form["path"])
        assert self.send(form, b"x" * 80_000) in (200, 201, 204)  # sent again, it changes nothing any more
        assert owner("GET", f"/v1/media/{file.id}/file").content == file.content
        assert owner.ok("POST", form["complete"])["status"] == "stored"

    def test_the_store_refuses_what_was_not_agreed(self, owner: Client) -> None:
        file = note(1_000)
        form = self.plan(owner, file)
        key = form["fields"]["key"]  # type: ignore[index]
        assert self.send(form, file.content + b"x") in (400, 403, 413)
        assert self.send(form, b"") in (400, 403, 411)
        assert self.send(form, file.content, key=key.replace("form", "mine")) == 403
        assert self.send(form, file.content, **{"Content-Type": "text/html"}) == 403
        assert self.send(form, file.content, policy=base64.b64encode(b"{}").decode()) in (400, 403)
        problem(owner("POST", form["complete"]), 409)

    def test_other_bytes_than_announced(self, owner: Client) -> None:
        file = note(1_000)
        form = self.plan(owner, file)
        assert self.send(form, b"y" * 1_000) in (200, 201, 204)
        owner.ok("POST", form["complete"])
        told = settled(owner, form["path"])
        assert (told["status"], told["code"]) == ("rejected", "hash-mismatch")


def jpeg(size: tuple[int, int] = (64, 48)) -> bytes:
    image = Image.frombytes("RGB", size, note(size[0] * size[1] * 3).content)
    made = io.BytesIO()
    image.save(made, "JPEG")
    return made.getvalue()


def archive(name: str = "a.txt", content: bytes = b"hello", compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as file:
        file.writestr(name, content)
    return made.getvalue()


def endless_png() -> bytes:
    """Some hundred bytes that say they are a picture of ten thousand million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")


def swollen_document() -> bytes:
    """A document of some hundred kilobytes that unpacks to hundreds of megabytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(
            "[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
        )
        file.writestr("word/document.xml", bytes(300 * 2**20))
    return made.getvalue()


WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SCRIPT = b"<script>alert(1)</script>"
HOSTILE = {
    "svg with a script as a picture": (
        lambda: b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>",
        "image/png",
    ),
    "an archive as a photo": (archive, "image/jpeg"),
    "a photo that is an archive, too": (lambda: jpeg() + archive(), "image/jpeg"),
    "a page as a note": (lambda: b"<!DOCTYPE html><html>" + SCRIPT, "text/plain"),
    "a program as a document": (lambda: b"MZ" + bytes(500), "application/pdf"),
    "a photo that stops": (lambda: jpeg()[:500], "image/jpeg"),
    "a picture without end": (endless_png, "image/png"),
    "a document that swells": (swollen_document, WORD),
}
CODES = {"type-mismatch", "type-not-accepted", "polyglot", "unreadable", "too-many-pixels", "archive-bomb"}


class TestHostileFiles:
    def test_they_are_refused_by_name_and_nothing_of_them_is_kept(self, platform: Platform) -> None:
        owner = register(platform, "Trampas S.A.S.")
        paths = {name: uploaded(owner, File(make(), type, "x")) for name, (make, type) in HOSTILE.items()}
        told = {name: settled(owner, path) for name, path in paths.items()}
        assert {name: one["status"] for name, one in told.items()} == dict.fromkeys(HOSTILE, "rejected"), told
        assert {one["code"] for one in told.values()} <= CODES
        assert told["a picture without end"]["code"] == "too-many-pixels"
        assert told["a document that swells"]["code"] == "archive-bomb"
        assert told["a photo that is an archive, too"]["code"] == "polyglot"
        assert all(one["detail"] for one in told.values())
        assert kept(platform, owner.ids["account_id"]) == []

    def test_at_the_door(self, owner: Client) -> None:
        for type in ("image/svg+xml", "text/html", "image/gif", "application/zip"):
            assert problem(begun(owner, File(b"x", type)), 415)["code"] == "type-not-accepted"
        assert problem(begun(owner, File(b"")), 422)["code"] == "empty"
        assert problem(begun(owner, note(10), **{"Upload-Length": str(2**31 + 1)}), 413)["code"] == "too-heavy"
        problem(begun(owner, note(10), **{"Upload-Metadata": "sha256 x"}), 400)

    def test_another_hash_than_announced(self, owner: Client) -> None:
        file = note(500)
        path = place(owner, file)
        assert sent(owner, path, 0, file.content[::-1]).status_code == 204
        told = settled(owner, path)
        assert (told["status"], told["code"]) == ("rejected", "hash-mismatch")
        problem(owner("GET", f"/v1/media/{file.id}"), 404)  # nothing is said of what did not come
        stored(owner, uploaded(owner, file))  # the right bytes can still come
