"""Cloud Storage for Firebase in a box: the endpoints under `/v0/b/` that end users' programs call.

Cloud Storage's own JSON API, its signed URLs and its public URLs are there for the same objects.

It answers as production does wherever that is known; the official Storage emulator differs from production more often,
and the tests in tests/official list where. Where neither is known to anybody, this emulator is the stricter one, so
that no test passes by luck:

- A resumable upload must have the length that its start announced.
- A chunk at the wrong offset, or of a size that is not a multiple of 256 KiB, is refused with 400 and where the upload
  stands, and nothing of it is kept. A chunk that breaks off keeps its whole multiples of 256 KiB.
- An `md5Hash` or `crc32c` that is not the file's is refused with 400, as Cloud Storage's own API does it.
- `ifGenerationMatch`, `ifGenerationNotMatch`, `ifMetagenerationMatch` and `ifMetagenerationNotMatch` work as they do
  there, on every request for an object.
- Buckets need not be made. There are no security rules yet: everybody may do everything, or everybody signed in.

Large files are neither held in memory nor copied: they go to temporary files as they arrive.
"""

from __future__ import annotations

from firebase_rest.emulator.storage.faults import StorageFaults
from firebase_rest.emulator.storage.service import StorageEmulator

__all__ = ["StorageEmulator", "StorageFaults"]
