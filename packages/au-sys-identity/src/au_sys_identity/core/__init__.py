"""The domain of identity: values, rules, ports; no framework, no runtime."""  # factory: allow L06 -- one noun a folder
