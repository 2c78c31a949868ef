"""The AWS emulator: one moto server process for all regions, on 127.0.0.1.

What moto 5.2.5 does by itself: Object Lock is enforced (deleting a locked version is denied), KMS signs and
verifies with RSA-4096, Secrets Manager keeps staging labels and replica regions, resources of one account
are found from every region where AWS has them global. Any access key is taken.

What is added here, one module each:

- `persistence`, `snapshot`: the state survives a stop and a kill, at most a second behind. Tried with s3, iam,
  kms, sts, secretsmanager, sqs, sns, events, logs, dynamodb, route53, scheduler, rds, ec2, ssm, eks, cloudwatch,
  stepfunctions, acm, backup and guardduty; a service that cannot be saved is named in the log.
- `replication`: bucket replication happens.
- `authorization`, `policy`: IAM enforcement that least-privilege policies can be tried with.
- `s3_answers`: GetObjectRetention, and GetBucketReplication in full.

What is missing: Lambdas cannot be invoked without containers, there are no cost-anomaly monitors, web identity
tokens are not verified (any token assumes any role), delete markers are not replicated, lifecycle rules do
not act, bucket policies are judged for object requests only and by the HTTP method (`s3:PutObject` for every
PUT, `s3:DeleteObject` for a version's deletion too).
"""
