// What an execution costs on AWS, as `badlambda cost` counts it (deploy/aws/costs/src: prices.rs and formula.rs; a test
// holds these against them): list prices of us-east-1 in dollars, workers on ARM.

/** @import { Execution } from "./execution.js" */

export const PRICES = {
  VCPU_HOUR: 0.03238,
  GB_HOUR: 0.00356,
  SQS_MILLION: 0.40,
  PUT_MILLION: 5.00,
  S3_GB: 0.023,
  LOG_GB: 0.50,
  ENDPOINT_GB: 0.01,
  SPOT_SHARE: 0.35,
  ON_DEMAND_SHARE: 0.25,
  SQS_REQUESTS: 0.34,
  LOGGED_BYTES: 400,
  ENDPOINT_BYTES: 4000,
  KEPT_BYTES: 3000,
  WORKER_VCPUS: 1,
  WORKER_GB: 4,
  SLOTS: 4,
  OWN_CPU_MS: 1.5,
  UTILISATION: 0.5,
};

/**
 * Dollars of an execution: its requests, its bytes, and its share of a worker's time.
 * @param {Execution} execution
 */
export function costOf({ usage, result_url, logs_url, attempts }) {
  const p = PRICES;
  const puts = 1 + (result_url ? 1 : 0) + (logs_url ? 1 : 0);
  const requests = (p.SQS_REQUESTS * p.SQS_MILLION + puts * p.PUT_MILLION) / 1e6;
  const kept = (p.LOGGED_BYTES * p.LOG_GB + p.ENDPOINT_BYTES * p.ENDPOINT_GB + p.KEPT_BYTES * p.S3_GB) / 1e9;
  const hour = p.WORKER_VCPUS * p.VCPU_HOUR + p.WORKER_GB * p.GB_HOUR;
  const mix = p.ON_DEMAND_SHARE + (1 - p.ON_DEMAND_SHARE) * p.SPOT_SHARE;
  const { wall_ms = 0, cpu_ms = 0 } = usage ?? {};
  const busyMs = Math.max((cpu_ms + p.OWN_CPU_MS) / p.WORKER_VCPUS, wall_ms / p.SLOTS) / p.UTILISATION;
  return requests + kept + (Math.max(attempts, 1) * busyMs * hour * mix) / 3_600_000;
}
