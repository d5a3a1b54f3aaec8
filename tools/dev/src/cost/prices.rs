//! List prices in USD of us-east-1, without free tiers and discounts, and AWS's default quotas.
//!
//! Other regions differ by up to a fifth. Each constant names the page on which the value stands
//! and the month in which that page, or a copy or summary of it, was read.

/// An HTTP API, a million requests of up to 512 KB, the first 300 million a month (0.90 after
/// them): <https://aws.amazon.com/api-gateway/pricing/>, September 2026.
pub(super) const API: f64 = 1.00;
/// Lambda, a million requests, and a GB-second on arm64: <https://aws.amazon.com/lambda/pricing/>,
/// September 2026.
pub(super) const LAMBDA: f64 = 0.20;
pub(super) const LAMBDA_GB_SECOND: f64 = 0.000_013_333_4;
/// DynamoDB on demand, a million read request units:
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>, July 2025 (halved in November 2024).
pub(super) const DYNAMODB: f64 = 0.125;
/// The same of write request units.
pub(super) const DYNAMODB_WRITES: f64 = 0.625;
/// DynamoDB provisioned, a read unit for an hour:
/// <https://aws.amazon.com/dynamodb/pricing/provisioned/>; known for years, not read again.
pub(super) const DYNAMODB_UNIT_HOUR: f64 = 0.000_13;
/// CloudWatch Logs, a GB taken in: <https://aws.amazon.com/cloudwatch/pricing/>, June 2026.
pub(super) const LOGS: f64 = 0.50;
/// CloudWatch, an alarm's metric and a custom metric for a month: the same page, June 2026.
pub(super) const ALARM: f64 = 0.10;
pub(super) const METRIC: f64 = 0.30;
/// Secrets Manager, a secret for a month: <https://aws.amazon.com/secrets-manager/pricing/>; known
/// for years, not read again.
pub(super) const SECRET: f64 = 0.40;
/// ElastiCache Serverless for Valkey, a GB for an hour, the least that is charged, and a million
/// ECPUs: <https://aws.amazon.com/elasticache/pricing/>, in two summaries of June 2026. A third one
/// has other figures, so look before you rely on them.
pub(super) const CACHE_GB_HOUR: f64 = 0.084;
pub(super) const CACHE_LEAST_GB: f64 = 0.1;
pub(super) const CACHE_UNITS: f64 = 0.002_3;
/// CloudFront, a million HTTPS requests, a million runs of a CloudFront Function, and a GB sent, in
/// the United States and Europe: <https://aws.amazon.com/cloudfront/pricing/>, March 2026.
pub(super) const EDGE: f64 = 1.00;
pub(super) const EDGE_FUNCTION: f64 = 0.10;
pub(super) const EDGE_GB: f64 = 0.085;
/// A GB sent to the internet without CloudFront:
/// <https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer>, March 2026.
pub(super) const OUT_GB: f64 = 0.09;

/// Requests a second to all APIs of an account (2,500 in some regions):
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>, November 2026.
pub(super) const API_QUOTA: f64 = 10_000.0;
/// Executions at once in an account, of which this many stay unreserved; and executions by which a
/// function grows in ten seconds:
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html> and
/// <https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html>, November 2026.
pub(super) const LAMBDA_QUOTA: f64 = 1_000.0;
pub(super) const LAMBDA_UNRESERVED: f64 = 100.0;
pub(super) const LAMBDA_GROWTH: f64 = 1_000.0;
/// Read units a second: the quota of a table on demand, what a new one takes at once, and the limit
/// of a partition:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>,
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput-scenarios.html>,
/// November 2026.
pub(super) const TABLE_QUOTA: f64 = 40_000.0;
pub(super) const TABLE_WARM: f64 = 12_000.0;
pub(super) const PARTITION: f64 = 3_000.0;
/// Requests a second to a distribution:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>,
/// November 2026.
pub(super) const EDGE_QUOTA: f64 = 250_000.0;
