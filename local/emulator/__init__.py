"""The AWS emulator: one moto server process for all regions, on 127.0.0.1.

What moto 5.2.5 does by itself: Object Lock is enforced (deleting a locked version is denied), KMS signs
and verifies with RSA-4096, Secrets Manager keeps staging labels and replica regions, global resources are
found from every region. Any access key is taken.

What is added here, one module each:

- `persistence`, `snapshot`: the state survives a stop and a kill, at most a second behind. Tried with s3,
  iam, kms, sts, secretsmanager, sqs, sns, events, logs, dynamodb, route53, scheduler, rds, ec2, ssm, eks,
  cloudwatch, stepfunctions, acm, backup, guardduty; the log names a service that cannot be saved.
- `replication`: bucket replication happens.
- `authorization`, `policy`: IAM enforcement that least-privilege policies can be tried with.
- `kms_digest`: RSA signatures of digests that verify outside of the emulator.
- `s3_answers`: GetObjectRetention, and GetBucketReplication in full.

What is missing: Lambdas cannot be invoked without containers, there are no cost-anomaly monitors, web
identity tokens are not verified (any token assumes any role), delete markers are not replicated, lifecycle
rules do not act, bucket policies are judged for object requests only and by the HTTP method (`s3:PutObject`
for every PUT, `s3:DeleteObject` for a version's deletion too).
"""
