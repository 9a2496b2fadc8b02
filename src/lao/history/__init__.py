# SPDX-License-Identifier: Apache-2.0
"""What is known of kept runs: reading them whole, comparing them, what they tell a forecast."""
