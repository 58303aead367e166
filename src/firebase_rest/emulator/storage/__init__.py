"""The Storage emulator.

It serves the API of the Firebase SDKs below `/v0/b/`, Cloud Storage's JSON API, signed URLs and public URLs, all for
the same objects.

Its responses follow production. The official Storage emulator differs from production in places; tests/official lists
them. Where production's behavior is not known, this emulator is strict:

- A resumable upload must have the size that its start declared.
- A chunk at the wrong offset, or with a size that is not a multiple of 256 KiB, is rejected with 400 and the size
  received so far, and none of its bytes are stored. Of an interrupted chunk, the complete multiples of 256 KiB are
  stored.
- A wrong `md5Hash` or `crc32c` is rejected with 400, as in the JSON API.
- `ifGenerationMatch`, `ifGenerationNotMatch`, `ifMetagenerationMatch` and `ifMetagenerationNotMatch` work as in the
  JSON API, on every request for an object.
- Buckets exist without being created. Without security rules everyone has access, or with `require_auth` every
  signed-in user.

The content of a large file is written to a temporary file as it arrives. It is neither held in memory nor copied.
"""

from __future__ import annotations

from firebase_rest.emulator.storage.faults import StorageFaults
from firebase_rest.emulator.storage.service import StorageEmulator

__all__ = ["StorageEmulator", "StorageFaults"]
