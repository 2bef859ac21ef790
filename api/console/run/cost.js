// What an execution costs on AWS, as `badlambda cost` counts it (deploy/aws/costs/src: prices.rs and formula.rs; a test
// holds these against them): list prices of us-east-1 in dollars, workers on ARM.

/** @import { Execution } from "./execution.js" */

const VCPU_HOUR = 0.03238;
const GB_HOUR = 0.00356;
const SQS_MILLION = 0.40;
const PUT_MILLION = 5.00;
const S3_GB = 0.023;
const LOG_GB = 0.50;
const ENDPOINT_GB = 0.01;
const SPOT_SHARE = 0.35;
const ON_DEMAND_SHARE = 0.25;
const SQS_REQUESTS = 0.34;
const LOGGED_BYTES = 400;
const ENDPOINT_BYTES = 4000;
const KEPT_BYTES = 3000;
const WORKER_VCPUS = 1;
const WORKER_GB = 4;
const SLOTS = 4;
const OWN_CPU_MS = 1.5;
const UTILISATION = 0.5;

const KEPT = (LOGGED_BYTES * LOG_GB + ENDPOINT_BYTES * ENDPOINT_GB + KEPT_BYTES * S3_GB) / 1e9;
const MIX = ON_DEMAND_SHARE + (1 - ON_DEMAND_SHARE) * SPOT_SHARE;
const WORKER_HOUR = (WORKER_VCPUS * VCPU_HOUR + WORKER_GB * GB_HOUR) * MIX;

/**
 * Dollars of an execution: its requests, its bytes, and its share of a worker's time.
 * @param {Execution} execution
 */
export function costOf({ usage, result_url, logs_url, attempts }) {
  const puts = 1 + (result_url ? 1 : 0) + (logs_url ? 1 : 0);
  const requests = (SQS_REQUESTS * SQS_MILLION + puts * PUT_MILLION) / 1e6;
  const { wall_ms = 0, cpu_ms = 0 } = usage ?? {};
  const busyMs = Math.max((cpu_ms + OWN_CPU_MS) / WORKER_VCPUS, wall_ms / SLOTS) / UTILISATION;
  return requests + KEPT + (Math.max(attempts, 1) * busyMs * WORKER_HOUR) / 3_600_000;
}
