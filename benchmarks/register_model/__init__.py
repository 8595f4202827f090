"""Train and measure the model that labels the register of a text: `filters/lexicons/register.model`."""
