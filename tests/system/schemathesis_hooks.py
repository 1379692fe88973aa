"""What made-up requests must know beyond the document: how plain bytes go over the wire."""

from __future__ import annotations

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
