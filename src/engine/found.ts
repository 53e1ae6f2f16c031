/** What became of the last request that is translated: the byte's host address, as halves, and the page's flags. */
export class Found {
  high = 0;
  low = 0;
  /** Those of an IOTLB entry in its low bits; what lies above them is nothing. */
  flags = 0;
}
