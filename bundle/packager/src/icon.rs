//! The icon in all its sizes.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result};
use icns::{IconFamily, IconType, Image};

/// Every size that the Finder and the system's windows ask for, as `iconutil` makes them, and the picture of that many
/// pixels that it is made from. The two smallest are in the older form, which every version of macOS draws.
pub const SIZES: [(IconType, u32); 10] = [
    (IconType::RGB24_16x16, 16),
    (IconType::RGBA32_16x16_2x, 32),
    (IconType::RGB24_32x32, 32),
    (IconType::RGBA32_32x32_2x, 64),
    (IconType::RGBA32_128x128, 128),
    (IconType::RGBA32_128x128_2x, 256),
    (IconType::RGBA32_256x256, 256),
    (IconType::RGBA32_256x256_2x, 512),
    (IconType::RGBA32_512x512, 512),
    (IconType::RGBA32_512x512_2x, 1024),
];

/// The `.icns` file of the pictures in this folder.
pub fn family(folder: &Path) -> Result<Vec<u8>> {
    let mut family = IconFamily::new();
    for (kind, pixels) in SIZES {
        let path = folder.join(format!("lifeguard-{pixels}.png"));
        let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let image = Image::read_png(BufReader::new(file)).with_context(|| format!("{} is no PNG", path.display()))?;
        family.add_icon_with_type(&image, kind).with_context(|| format!("{} has another size", path.display()))?;
    }
    let mut bytes = Vec::new();
    family.write(&mut bytes)?;
    Ok(bytes)
}
