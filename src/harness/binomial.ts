/** Natural logarithm of n!, by Stirling's series; exact enough (1e-9) from 0 up. */
function logFactorial(n: number): number {
  if (n < 16) {
    let product = 1;
    for (let i = 2; i <= n; i += 1) product *= i;
    return Math.log(product);
  }
  const inverse = 1 / n;
  const series = inverse / 12 - inverse ** 3 / 360 + inverse ** 5 / 1260;
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + series;
}

/**
 * The chance of seeing at most `count` successes in `trials` when each succeeds with `probability` (strictly between 0
 * and 1): a binomial distribution's lower tail. Only small tails are of use here: from the mean up it says 1.
 */
export function lowerTail(count: number, trials: number, probability: number): number {
  const k = Math.min(Math.floor(count), trials);
  if (k >= trials * probability) return 1;
  const choose = logFactorial(trials) - logFactorial(k) - logFactorial(trials - k);
  let term = Math.exp(choose + k * Math.log(probability) + (trials - k) * Math.log1p(-probability));
  let sum = 0;
  for (let i = k; i >= 0 && term > sum * 1e-16; i -= 1) {
    sum += term;
    term *= ((i / (trials - i + 1)) * (1 - probability)) / probability;
  }
  return sum;
}
