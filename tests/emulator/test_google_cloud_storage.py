"""google-cloud-storage with the emulator: the cases of `storage.google_cases`, and the emulator's own features."""

from __future__ import annotations

import io

import pytest
import requests

from support.waiting import LIMIT

pytest.register_assert_rewrite("storage.google_cases")

import firebase_rest  # noqa: E402
import pyrebase  # noqa: E402
from emulator.files import error  # noqa: E402
from firebase_rest.emulator import Emulator  # noqa: E402
from firebase_rest.errors import ConfigError  # noqa: E402
from storage.google_cases import *  # noqa: E402, F403 - the same tests run on the official emulator
from storage.google_cases import LARGE, ONLY_OURS, K, google_side  # noqa: E402
from storage.storage_clients import ACCOUNT, BUCKET, id_token  # noqa: E402
from support.google import key_file  # noqa: E402


@pytest.fixture
def google(server, monkeypatch):
    with google_side(server.host, monkeypatch) as google:
        yield google


@pytest.mark.parametrize("operation", ONLY_OURS)
def test_google_cloud_storage_operations(google, operation):
    ONLY_OURS[operation](google)


def test_pyrebase_program_with_service_account(server, monkeypatch, tmp_path):
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    config = {**server.config, "storageBucket": BUCKET, "serviceAccount": key_file("http://127.0.0.1:9/token")}
    firebase = pyrebase.initialize_app(config)
    storage = firebase.storage()
    storage.child("images/new.png").put(b"new")
    storage.bucket.blob("images/old.png").upload_from_string(b"old")
    if storage.bucket.blob("images/old.png").exists():
        for file in storage.list_files():
            file.download_to_filename(file.name.replace("/", "-"))
    for blob in storage.bucket.list_blobs(prefix="images/"):
        blob.delete()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images-new.png", "images-old.png"]
    assert (tmp_path / "images-old.png").read_bytes() == b"old"
    assert not list(storage.list_files())
    storage.bucket.client.close()
    firebase.close()


def test_private_key_is_read_only_for_signing(server, monkeypatch):
    monkeypatch.setenv("FIREBASE_STORAGE_EMULATOR_HOST", server.host)
    with firebase_rest.initialize_app({"storageBucket": BUCKET, "serviceAccount": ACCOUNT}) as app:
        bucket = app.storage().bucket
        bucket.blob("a").upload_from_string("x")
        assert bucket.blob("a").exists()
        with pytest.raises(ConfigError):
            bucket.blob("a").generate_signed_url(version="v4", expiration=60)
        bucket.client.close()


def test_signed_url_overrides_response_headers(google):
    blob = google.bucket.blob("a")
    blob.upload_from_string("x")
    disposition = 'attachment; filename="b.txt"'
    url = blob.generate_signed_url(60, version="v4", response_disposition=disposition, response_type="text/html")
    headers = requests.get(url, timeout=LIMIT).headers
    assert (headers["Content-Disposition"], headers["Content-Type"]) == (disposition, "text/html")
    assert blob.content_type == "text/plain"


def test_google_cloud_storage_uses_storage_emulator_host(server, monkeypatch):
    from google.cloud.storage import Client

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.environ["STORAGE_EMULATOR_HOST"])
    client = Client(project="demo")
    client.bucket("any").blob("a").upload_from_string("nobody's")
    assert client.bucket("any").blob("a").download_as_bytes() == b"nobody's"
    client.close()


def test_firebase_admin_reads_the_same_files(server, files, monkeypatch):
    import firebase_admin
    import google.auth.credentials
    from firebase_admin import storage

    class Anonymous(firebase_admin.credentials.Base):
        def get_credential(self):
            return google.auth.credentials.AnonymousCredentials()

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.environ["STORAGE_EMULATOR_HOST"])
    files.upload("ours", b"from us")
    app = firebase_admin.initialize_app(Anonymous(), {"storageBucket": files.bucket, "projectId": "p"}, name="storage")
    bucket = storage.bucket(app=app)
    assert bucket.blob("ours").download_as_bytes() == b"from us"
    bucket.blob("theirs").upload_from_string("from them")
    assert files.download("theirs").content == b"from them"
    bucket.client.close()
    firebase_admin.delete_app(app)


@pytest.mark.slow
def test_google_cloud_storage_resumes_a_broken_upload(google, server):
    faults = server.emulator.faults.storage
    faults.drop_response("upload", skip=1)
    faults.drop_upload(100_000, skip=2)
    faults.reject("upload", skip=3)
    blob = google.bucket.blob("large", chunk_size=K)
    blob.upload_from_file(io.BytesIO(LARGE), if_generation_match=0)
    assert not faults.pending
    assert google.owner.child("large").get_bytes() == LARGE


# --- on the wire ------------------------------------------------------------------------------------------------------


@pytest.fixture
def cloud(server):
    """Sends to Cloud Storage's own API."""
    with requests.Session() as session:

        def send(method, path, body=None, **headers):
            url = path if "://" in path else f"http://{server.host}{path}"
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            return session.request(method, url, data=body, headers=headers, timeout=LIMIT, allow_redirects=False)

        yield send


def start(cloud, query="", **headers):
    response = cloud("POST", f"/upload/storage/v1/b/b/o?uploadType=resumable&name=f{query}", b"{}", **headers)
    assert (response.status_code, response.content) == (200, b"")
    return response.headers["Location"]


MULTIPART = (
    b'--x\r\ncontent-type: application/json\r\n\r\n{"name": "a"}\r\n--x\r\ncontent-type: text/plain\r\n\r\nhi\r\n--x--'
)


def test_upload_without_upload_type_is_a_media_upload(cloud):
    assert (
        cloud("POST", "/upload/storage/v1/b/b/o?name=a", b"hi", Content_Type="text/x").json()["contentType"] == "text/x"
    )
    assert cloud("GET", "/storage/v1/b/b/o/a?alt=media").content == b"hi"


def test_upload_protocol_header_replaces_the_upload_type(cloud):
    headers = {"Content_Type": "multipart/related; boundary=x", "X_Goog_Upload_Protocol": "multipart"}
    assert cloud("POST", "/upload/storage/v1/b/b/o", MULTIPART, **headers).json()["name"] == "a"
    headers["Content_Type"] = "text/plain"
    response = cloud("POST", "/upload/storage/v1/b/b/o?name=a", MULTIPART, **headers)
    assert response.status_code == 400
    assert "Bad content type." in response.text


def test_type_of_a_multipart_upload_can_be_a_header(cloud):
    headers = {"Content_Type": "multipart/related; boundary=x", "X_Upload_Content_Type": "image/png"}
    url = "/upload/storage/v1/b/b/o?uploadType=multipart"
    assert cloud("POST", url, MULTIPART, **headers).json()["contentType"] == "image/png"


def test_null_in_the_custom_metadata_of_a_copy_is_an_empty_string(cloud):
    cloud("POST", "/upload/storage/v1/b/b/o?name=a", b"hi")
    copied = cloud("POST", "/storage/v1/b/b/o/a/rewriteTo/b/b/o/c", b'{"metadata": {"x": "1", "y": null}}').json()
    assert copied["resource"]["metadata"] == {"x": "1", "y": ""}
    assert cloud("GET", "/storage/v1/b/b/o/c").json()["metadata"] == {"x": "1", "y": ""}


def test_rewrite_token_is_rejected(cloud):
    cloud("POST", "/upload/storage/v1/b/b/o?name=a", b"hi")
    assert cloud("POST", "/storage/v1/b/b/o/a/rewriteTo/b/b/o/c?rewriteToken=x").status_code == 501
    assert cloud("GET", "/storage/v1/b/b/o/c").status_code == 404


def test_id_token_is_rejected_by_the_json_api(cloud):
    for credential in (
        f"Bearer {id_token()}",
        f"Bearer {id_token(age=7200)}",
        f"Firebase {id_token()}",
        "Firebase owner",
        "Bearer ",
    ):
        status, message = error(cloud("GET", "/storage/v1/b/b/o", Authorization=credential))
        assert (status, "service accounts" in message) == (401, True), credential
    for credential in ("Bearer owner", "Bearer ya29.x", "Bearer made-up"):
        assert cloud("GET", "/storage/v1/b/b/o", Authorization=credential).status_code == 200, credential


def test_json_api_needs_credentials_with_require_auth():
    with Emulator(require_auth=True).serve() as server:
        url = f"http://{server.host}/storage/v1/b/b/o"
        assert requests.get(url, timeout=LIMIT).status_code == 401
        assert requests.get(f"{url}?upload_id=0", timeout=LIMIT).status_code == 401  # which no upload's address is
        assert requests.get(url, headers={"Authorization": "Bearer owner"}, timeout=LIMIT).status_code == 200


def test_empty_list_has_no_items(cloud):
    assert cloud("GET", "/storage/v1/b/b/o").json() == {"kind": "storage#objects"}


def test_object_resource_has_the_fields_of_production(cloud, server):
    response = cloud(
        "POST", "/upload/storage/v1/b/b/o?uploadType=media&name=a%2Fb", b"hello", Content_Type="text/plain"
    )
    assert response.status_code == 200
    resource = response.json()
    generation, origin = resource["generation"], f"http://{server.host}"
    assert resource == {
        "kind": "storage#object",
        "id": f"b/a/b/{generation}",
        "selfLink": f"{origin}/storage/v1/b/b/o/a%2Fb",
        "mediaLink": f"{origin}/download/storage/v1/b/b/o/a%2Fb?generation={generation}&alt=media",
        "name": "a/b",
        "bucket": "b",
        "generation": generation,
        "metageneration": "1",
        "contentType": "text/plain",
        "storageClass": "STANDARD",
        "size": "5",
        "md5Hash": "XUFAKrxLKna5cZ2REBfFkg==",
        "crc32c": "mnG7TA==",
        "etag": resource["etag"],
        "timeCreated": resource["timeCreated"],
        "updated": resource["timeCreated"],
        "timeStorageClassUpdated": resource["timeCreated"],
    }
    assert cloud("GET", "/storage/v1/b/b/o/a%2Fb").json() == resource
    for path in ("/storage/v1/b/b/o/a%2Fb?alt=media", "/download/storage/v1/b/b/o/a%2Fb?alt=media"):
        assert cloud("GET", path).content == b"hello"
        part = cloud("GET", path, Range="bytes=1-2")
        assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"el", "bytes 1-2/5")
        assert cloud("GET", path, Range="bytes=9-").status_code == 416


def test_json_api_error_format(cloud):
    message = "No such object: b/gone"
    response = cloud("GET", "/storage/v1/b/b/o/gone")
    assert response.json() == {
        "error": {
            "code": 404,
            "message": message,
            "errors": [{"message": message, "domain": "global", "reason": "notFound"}],
        }
    }
    response = cloud("GET", "/download/storage/v1/b/b/o/gone?alt=media")
    assert (response.status_code, response.text) == (404, message)
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/storage/v1/b/b/iam"),
        ("POST", "/storage/v1/b/b/o/a/b"),
        ("DELETE", "/storage/v1/b/b"),
        ("GET", "/upload/storage/v1/b/b/o"),
        ("GET", "/storage/v1/b/b/o?matchGlob=*"),
        ("POST", "/batch/storage/v1"),
    ],
)
def test_unsupported_json_api_request_is_501(cloud, method, path):
    status, message = error(cloud(method, path))
    assert (status, "does not implement" in message) == (501, True)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/upload/storage/v1/b/b/o?uploadType=other&name=a", b""),
        ("POST", "/upload/storage/v1/b/b/o?uploadType=media", b""),
        ("POST", "/upload/storage/v1/b/b/o?uploadType=media&name=a&predefinedAcl=all", b""),
        ("POST", "/upload/storage/v1/b/b/o?uploadType=resumable", b"{}"),
        ("POST", "/upload/storage/v1/b/b/o?uploadType=resumable", b"[]"),
        ("POST", "/upload/storage/v1/b/b/o?uploadType=media&name=a&ifGenerationMatch=x", b""),
        ("GET", "/storage/v1/b/b/o?maxResults=0", b""),
        ("GET", "/storage/v1/b/b/o?pageToken=*", b""),
        ("GET", "/storage/v1/b/b/o/%FF", b""),
        ("PATCH", "/storage/v1/b/b/o/a", b'{"acl": 1}'),
        ("PATCH", "/storage/v1/b/b/o/a", b'{"acl": [{"entity": "allUsers", "role": "WRITER"}]}'),
        ("POST", "/storage/v1/b/b/o/a/compose", b'{"sourceObjects": []}'),
        ("POST", "/storage/v1/b", b"{}"),
        ("GET", "/bkt/a?X-Goog-Signature=0", b""),
        ("GET", f"/bkt/a?X-Goog-Signature=0&X-Goog-Date=20200101T000000Z&X-Goog-Expires=-{'9' * 400}", b""),
        ("GET", "/bkt/a?GoogleAccessId=a&Expires=nan", b""),
    ],
)
def test_invalid_json_api_request_is_400(cloud, method, path, body):
    response = cloud(method, path, body)
    assert response.status_code == 400, response.text


def test_chunk_response_has_the_received_range(cloud):
    url = start(cloud)
    requested = cloud("PUT", url, b"", Content_Range="bytes */*")
    assert (requested.status_code, "Range" in requested.headers, "Location" in requested.headers) == (308, False, False)
    response = cloud("PUT", url, LARGE[:K], Content_Range=f"bytes 0-{K - 1}/*")
    assert (response.status_code, response.headers["Range"]) == (308, f"bytes=0-{K - 1}")
    again = cloud("PUT", url, LARGE[: 2 * K], Content_Range=f"bytes 0-{2 * K - 1}/*")
    assert (again.status_code, again.headers["Range"]) == (308, f"bytes=0-{2 * K - 1}")
    polite = cloud("PUT", url, b"", Content_Range="bytes */*", X_GUploader_No_308="yes")
    assert (polite.status_code, polite.headers["X-HTTP-Status-Code-Override"]) == (200, "308")
    rest = LARGE[2 * K :]
    done = cloud("PUT", url, rest, Content_Range=f"bytes {2 * K}-{len(LARGE) - 1}/{len(LARGE)}")
    assert (done.status_code, done.json()["size"]) == (200, str(len(LARGE)))
    for header in (f"bytes {2 * K}-{len(LARGE) - 1}/{len(LARGE)}", "bytes */*"):
        assert cloud("PUT", url, b"", Content_Range=header).json() == done.json()
    assert cloud("GET", "/storage/v1/b/b/o/f?alt=media").content == LARGE


def test_single_chunk_and_empty_resumable_uploads(cloud):
    assert cloud("PUT", start(cloud), b"whole").json()["size"] == "5"
    url = start(cloud, X_Upload_Content_Type="text/empty")
    done = cloud("PUT", url, b"", Content_Range="bytes */0").json()
    assert (done["size"], done["contentType"]) == ("0", "text/empty")


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (100, "bytes 0-99/*"),
        (K, f"bytes {K}-{2 * K - 1}/*"),
        (K - 1, f"bytes 0-{K - 1}/*"),
        (K, f"bytes 0-{K - 1}/{K + 1}"),
        (K, "bytes 0/1"),
        (1, "bytes 5-4/9"),
    ],
)
def test_invalid_chunk_is_rejected_and_discarded(cloud, size, header):
    url = start(cloud, X_Upload_Content_Length=str(2 * K))
    assert cloud("PUT", url, LARGE[:size], Content_Range=header).status_code == 400
    assert "Range" not in cloud("PUT", url, b"", Content_Range="bytes */*").headers
    assert cloud("PUT", url, LARGE[: 2 * K], Content_Range=f"bytes 0-{2 * K - 1}/{2 * K}").status_code == 200


def test_checksum_of_the_last_chunk_is_verified(cloud):
    response = cloud("PUT", start(cloud), b"whole", x_goog_hash="crc32c=AAAAAA==")
    assert response.status_code == 400
    assert "CRC32C" in response.json()["error"]["message"]


def test_cancelled_upload_rejects_chunks(cloud):
    url = start(cloud)
    assert cloud("DELETE", url).status_code == 499
    assert cloud("PUT", url, b"late").status_code == 499
    assert cloud("PUT", url.replace("upload_id=", "upload_id=x"), b"").status_code == 404


def test_acl_entries_can_be_read_and_written(cloud):
    cloud("POST", "/upload/storage/v1/b/bkt/o?uploadType=media&name=f", b"f")
    where = "/storage/v1/b/bkt/o/f/acl"
    entry = cloud("POST", where, b'{"entity": "allUsers", "role": "READER"}').json()
    assert (entry["kind"], entry["entity"], entry["role"]) == ("storage#objectAccessControl", "allUsers", "READER")
    assert cloud("GET", f"{where}/allUsers").json() == entry
    assert cloud("GET", where).json() == {"kind": "storage#objectAccessControls", "items": [entry]}
    assert cloud("GET", "/bkt/f").content == b"f"
    assert cloud("PATCH", f"{where}/user-a%40b.c", b'{"role": "OWNER"}').json()["entity"] == "user-a@b.c"
    assert cloud("DELETE", f"{where}/allUsers").status_code == 204
    assert cloud("GET", f"{where}/allUsers").status_code == 404
    assert cloud("DELETE", f"{where}/allUsers").status_code == 404


def test_object_urls_do_not_shadow_database_paths(cloud, db):
    cloud("POST", "/upload/storage/v1/b/bkt/o?uploadType=media&name=f.json&predefinedAcl=publicRead", b"file")
    assert cloud("GET", "/bkt/f.json").content == b"file"
    assert cloud("GET", "/bkt/f.json?ns=demo-test-default-rtdb").content == b"null"
    assert cloud("GET", "/storage/v1/b/bkt/o.json?ns=demo-test-default-rtdb").content == b"null"
