# SPDX-License-Identifier: Apache-2.0
"""What the kernel enforces: how processes are locked, started, and let outside."""
