"""The one mechanism by which anything here proves something: signed, chained, locked records.

A record is an in-toto Statement in a DSSE envelope, signed in KMS, stored under Object Lock, that names the
digests and versions of its documents and of the record before it. `store.write_evidence` writes one,
`bundle.export_bundle` takes them out, `verify.verify_bundle` checks them offline.
"""
