//! This process's own memory and processor time, under the names that Prometheus's clients give them.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};
use rustix::{
    param::page_size,
    time::{ClockId, clock_gettime},
};

#[derive(Debug)]
pub struct Process;

// === impl Process ===

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        let cpu = ConstCounter::new(used.tv_sec as f64 + used.tv_nsec as f64 / 1e9);
        let help = "Processor time that Flowdeck has used";
        let metric = encoder.encode_descriptor("process_cpu_seconds", help, None, prometheus_client::metrics::MetricType::Counter)?;
        cpu.encode(metric)?;
        if let Some(bytes) = resident() {
            let help = "Memory that Flowdeck takes";
            let metric = encoder.encode_descriptor(
                "process_resident_memory_bytes",
                help,
                None,
                prometheus_client::metrics::MetricType::Gauge,
            )?;
            ConstGauge::new(bytes).encode(metric)?;
        }
        Ok(())
    }
}

/// The second number of `/proc/self/statm` is pages (proc(5)); other systems have no such file.
fn resident() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = text.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(page_size().try_into().ok()?)
}
