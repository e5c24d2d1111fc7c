"""Pictures that Reconstruct takes."""

from PIL import Image, ImageDraw


def vase(path, size=(160, 200), mode="RGB"):
    """A picture that Reconstruct takes: a red vase before plain grey."""
    picture = Image.new("RGB", size, (200, 200, 200))
    draw = ImageDraw.Draw(picture)
    w, h = size
    draw.ellipse((w * 0.25, h * 0.4, w * 0.75, h * 0.9), fill=(180, 40, 30))
    draw.rectangle((w * 0.42, h * 0.15, w * 0.58, h * 0.5), fill=(190, 60, 40))
    picture.convert(mode).save(path)
    return path


def four_sides(folder) -> list:
    """A vase with a coloured dot for each side; the dots alone tell the pictures apart."""
    images = []
    for name, colour in (("front", "red"), ("right", "lime"), ("back", "blue"), ("left", "yellow")):
        path = vase(folder / f"{name}.png")
        with Image.open(path) as picture:
            picture = picture.convert("RGB")
        draw = ImageDraw.Draw(picture)
        x, y = picture.width / 2, picture.height / 2
        draw.ellipse((x - 9, y - 9, x + 9, y + 9), fill=colour)
        picture.save(path)
        images.append(path)
    return images
