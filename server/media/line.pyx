# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""What the bursts of one viewer show of its line: a few sums for each. See line.pyi.

Pure, and compiled because it is fed twenty times a second for each viewer.
"""

from libc.math cimport fabs
from libc.stdint cimport int64_t
from libc.string cimport memset

from server.media.relay.sent cimport Burst

cdef enum:
    POINTS = 20             # bursts of the trend line
    ARRIVED = 256           # bursts of the received rate
    RATE_WINDOW_US = 500000
    PARTS = 20              # of the base delay's window
    PART_MS = 500

NORMAL, OVER, UNDER = range(3)

cdef struct Trend:
    # Slope of the smoothed one-way delay over the last POINTS bursts, and the detector on it.
    double x[POINTS]
    double y[POINTS]
    int count
    int64_t sent_us
    int64_t arrival_us
    bint begun
    double first_ms
    int deltas
    double accumulated
    double smoothed
    double slope
    double threshold
    double over_ms
    int over_count
    int usage

cdef struct Arrived:
    int64_t at_us
    int64_t octets


cdef void begin_trend(Trend* trend) noexcept nogil:
    memset(trend, 0, sizeof(Trend))
    trend.threshold = 12.5
    trend.over_ms = -1.0


cdef void follow(Trend* trend, int64_t sent_us, int64_t arrival_us) noexcept nogil:
    """One more burst: a point of the smoothed delay, the slope through the last of them, the detector."""
    cdef double sent_ms = (sent_us - trend.sent_us) / 1e3
    cdef double before = trend.slope
    cdef bint begun = trend.begun
    cdef int place = trend.count % POINTS
    if begun:
        trend.accumulated += (arrival_us - trend.arrival_us) / 1e3 - sent_ms
        trend.smoothed += 0.1 * (trend.accumulated - trend.smoothed)
        trend.deltas = min(trend.deltas + 1, 60)
        trend.x[place] = arrival_us / 1e3 - trend.first_ms
        trend.y[place] = trend.smoothed
        trend.count += 1
    else:
        trend.begun = True
        trend.first_ms = arrival_us / 1e3
    trend.sent_us = sent_us
    trend.arrival_us = arrival_us
    if trend.count >= POINTS:
        trend.slope = slope(trend.x, trend.y)
    if begun:
        detect(trend, before, sent_ms)


cdef double slope(const double* x, const double* y) noexcept nogil:
    """Least squares through POINTS points, in any order."""
    cdef double xs = 0, ys = 0, squares = 0, products = 0, below
    cdef int i
    for i in range(1, POINTS):
        xs += x[i] - x[0]
        ys += y[i] - y[0]
        squares += (x[i] - x[0]) * (x[i] - x[0])
        products += (x[i] - x[0]) * (y[i] - y[0])
    below = squares - xs * xs / POINTS
    return (products - xs * ys / POINTS) / below if below else 0.0


cdef void detect(Trend* trend, double before, double sent_ms) noexcept nogil:
    """The over-use detector (draft-ietf-rmcat-gcc-02, 5.4)."""
    cdef double size = trend.deltas * trend.slope * 4.0
    if size > trend.threshold:
        trend.over_ms = sent_ms / 2 if trend.over_ms < 0 else trend.over_ms + sent_ms
        trend.over_count += 1
        if trend.over_ms > 10 and trend.over_count > 1 and trend.slope >= before:
            trend.over_ms = 0.0
            trend.over_count = 0
            trend.usage = 1
    else:
        trend.over_ms = -1.0
        trend.over_count = 0
        trend.usage = 2 if size < -trend.threshold else 0
    adapt(trend, fabs(size), min(sent_ms, 100.0))


cdef void adapt(Trend* trend, double size, double passed_ms) noexcept nogil:
    """The threshold follows the trend: slowly up, so that a flow which fills queues does not starve this
    one, and down (the draft's K_u and K_d)."""
    if size <= trend.threshold + 15:
        trend.threshold += (0.039 if size < trend.threshold else 0.0087) * (size - trend.threshold) * passed_ms
        trend.threshold = min(max(trend.threshold, 6.0), 600.0)


cdef class Line:
    """See line.pyi."""

    cdef Trend trend
    cdef Arrived arrived[ARRIVED]       # a circle
    cdef unsigned int arrived_from
    cdef unsigned int arrived_to
    cdef int64_t least[PARTS]           # one-way delay, of each PART_MS
    cdef int64_t least_part[PARTS]
    cdef readonly double queue_ms

    def __cinit__(self):
        cdef int i
        begin_trend(&self.trend)
        for i in range(PARTS):
            self.least_part[i] = -1

    @property
    def usage(self):
        return self.trend.usage

    def feed(self, bytes bursts not None, double now, int64_t counted_from_us):
        cdef const char* data = bursts
        cdef const Burst* burst = <const Burst*>data
        cdef Py_ssize_t told = len(bursts) // sizeof(Burst), i
        cdef int64_t came = 0, lost = 0
        cdef bint over = False
        for i in range(told):
            if burst[i].sent_us >= counted_from_us:
                came += burst[i].came
                lost += burst[i].lost
            if burst[i].arrival_us >= 0:
                self._arrive(burst[i].arrival_us, burst[i].octets)
                self._wait(burst[i].arrival_us - burst[i].spread_us - burst[i].sent_us, <int64_t>(now * 1e3))
                follow(&self.trend, burst[i].sent_us, burst[i].arrival_us)
                over = over or self.trend.usage == 1
        return told, came, lost, over

    def received_bps(self, int64_t window_us=RATE_WINDOW_US):
        cdef unsigned int at = self.arrived_to
        cdef int64_t last_us, passed, octets = 0
        if at - self.arrived_from < 4:
            return None
        at -= 1
        last_us = self.arrived[at % ARRIVED].at_us
        while at != self.arrived_from and last_us - self.arrived[(at - 1) % ARRIVED].at_us <= window_us:
            octets += self.arrived[at % ARRIVED].octets
            at -= 1
        passed = last_us - self.arrived[at % ARRIVED].at_us
        if passed < window_us // 4:
            return None
        return octets * 8e6 / passed

    def forget_delay(self, double now):
        cdef int i
        cdef int64_t part = <int64_t>(now * 1e3) // PART_MS
        for i in range(PARTS):
            if self.least_part[i] < part - 1:
                self.least_part[i] = -1

    def forget_trend(self):
        begin_trend(&self.trend)

    cdef void _arrive(self, int64_t at_us, int64_t octets) noexcept:
        cdef Arrived* row = &self.arrived[self.arrived_to % ARRIVED]
        if self.arrived_to - self.arrived_from == ARRIVED:
            self.arrived_from += 1
        row.at_us = at_us
        row.octets = octets
        self.arrived_to += 1
        while (
            self.arrived_to - self.arrived_from > 2
            and at_us - self.arrived[self.arrived_from % ARRIVED].at_us > RATE_WINDOW_US
        ):
            self.arrived_from += 1

    cdef void _wait(self, int64_t delay_us, int64_t now_ms) noexcept:
        """How long packets wait: one-way delay above the least of the last parts (clocks drift slowly)."""
        cdef int64_t part = now_ms // PART_MS
        cdef int place = part % PARTS, i
        cdef int64_t least = delay_us
        if self.least_part[place] != part or delay_us < self.least[place]:
            self.least_part[place] = part
            self.least[place] = delay_us
        for i in range(PARTS):
            if self.least_part[i] > part - PARTS and self.least_part[i] >= 0:
                least = min(least, self.least[i])
        self.queue_ms += 0.5 * ((delay_us - least) / 1e3 - self.queue_ms)
