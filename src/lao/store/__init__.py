# SPDX-License-Identifier: Apache-2.0
"""What LAO keeps: runs and their events, results by key, blobs. The only SQL."""
